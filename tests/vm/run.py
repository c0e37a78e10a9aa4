#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the machine tests: every function test_* of every tests/vm/test_*.py, two at a time.

usage: run.py [--list] [--verbose] [--keep DIRECTORY] [NAME...]
A NAME picks the tests whose file or function name holds it. Each has a directory with everything that its
machines said, and its disks too if it failed. The last line is "N passed, N failed" (checks, not functions).
"""
import argparse
import ast
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

LARGE = 1 << 20
HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]


def find_tests(names):
    """[(file, function, sentence)] in the order of the files."""
    found = []
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                if not names or any(name in f"{path.stem} {node.name}" for name in names):
                    sentence = (ast.get_docstring(node) or node.name).split("\n")[0]
                    found.append((path, node.name, sentence))
    return found


def remove_disks(place):
    """Leaves of a test that passed what its machines said: all their disks together are gigabytes."""
    for path in place.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.suffix != ".log" and path.stat().st_size >= LARGE:
            path.unlink()


def run_one(test, directory, verbose):
    """Runs one test in a process of its own; answers with (test, seconds, passed, failed, log)."""
    path, name, _ = test
    place = directory / path.stem / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    log = place / "test.log"
    begin = time.monotonic()
    code = (f"import sys; sys.path.insert(0, {str(HERE)!r}); sys.argv = ['test', {name!r}, {str(place)!r}]; "
            f"exec(compile(open({str(path)!r}).read(), {str(path)!r}, 'exec')); "
            f"import lab; lab.main({str(path)!r})")
    with open(log, "wb") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, stderr=subprocess.STDOUT, check=False,
                       stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    text = log.read_text(errors="replace")
    result = re.findall(r"^RESULT (\d+) (\d+)$", text, re.MULTILINE)
    passed, failed = map(int, result[-1]) if result else (0, 1)
    if verbose:
        sys.stdout.write(text)
    if failed == 0:
        remove_disks(place)
    return test, time.monotonic() - begin, passed, failed, log


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="name the tests and end")
    parser.add_argument("--verbose", action="store_true", help="print each test's log")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", default=str(TOP / "build-vm"), help="where the logs go")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    tests = find_tests(options.names)
    if options.list or not tests:
        for path, name, sentence in tests:
            print(f"{path.stem}.{name}: {sentence}")
        sys.exit(0 if tests else "no such test")
    if "STILLBOOT_VM_FIRMWARE" not in os.environ:
        made = subprocess.run([TOP / "dev", "firmware"], check=True, stdout=subprocess.PIPE, text=True)
        os.environ["STILLBOOT_VM_FIRMWARE"] = ":".join(made.stdout.split()[-2:])
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = [pool.submit(run_one, test, pathlib.Path(options.keep), options.verbose) for test in tests]
        for done in concurrent.futures.as_completed(runs):
            test, seconds, good, bad, log = done.result()
            passed, failed = passed + good, failed + bad
            word = "ok    " if bad == 0 else "FAILED"
            print(f"{word} {seconds:6.1f} s  {test[2]} ({good} checks passed, {bad} failed)", flush=True)
            if bad:
                lines = log.read_text(errors="replace").splitlines()
                print("\n".join("       | " + line for line in lines[-80:]))
                print(f"       | all of it, and what the machines said: {log.parent}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
