#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Runs a fuzzer within bounds, the same way each time: its corpus reaches its floor and a short run finds nothing, or
# it finds the defect that is planted in a copy of it.
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ARTIFACTS = ("crash-", "leak-", "oom-", "slow-unit-", "timeout-")


def run(program, directory, *arguments):
    """Runs a fuzzer; artifacts and its profile come to lie in the directory."""
    environment = {"ASAN_OPTIONS": "abort_on_error=0", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
                   **os.environ, "LLVM_PROFILE_FILE": f"{directory}/profile"}
    command = [program, "-seed=1", "-timeout=20", "-rss_limit_mb=2048", f"-artifact_prefix={directory}/", *arguments]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)


def artifacts(directory):
    return [path for path in Path(directory).iterdir() if path.name.startswith(ARTIFACTS)]


def over_corpus(program, options, directory):
    """Each input once, whole: a corpus that is given as a directory is cut to the fuzzer's longest input."""
    inputs = sorted(str(path) for path in Path(options.corpus).iterdir())
    return run(program, directory, *inputs)


def fuzz(program, options, directory):
    """From the corpus on; what is found new stays out of the sources."""
    found = Path(directory) / "found"
    found.mkdir()
    dictionary = Path(options.corpus).with_suffix(".dict")
    hints = [f"-dict={dictionary}"] if dictionary.exists() else []
    return run(program, directory, f"-runs={options.runs}", "-max_len=2048", *hints, str(found), options.corpus)


def say_failure(what, result, directory):
    print(result.stdout[-6000:])
    for path in artifacts(directory):
        print(f"{path.name}: {path.read_bytes()[:4096]!r}")
    print(what)
    return 1


def lines_reached(options, directory):
    merged = f"{directory}/merged"
    subprocess.run([options.profdata, "merge", "-sparse", f"{directory}/profile", "-o", merged], check=True)
    exported = subprocess.run([options.cov, "export", "-summary-only", f"-instr-profile={merged}", options.fuzzer,
                               *options.sources], stdout=subprocess.PIPE, text=True, check=True)
    files = json.loads(exported.stdout)["data"][0]["files"]
    for file in files:
        lines = file["summary"]["lines"]
        print(f"{lines['covered']:5} of {lines['count']:5} lines: {os.path.basename(file['filename'])}")
    if len(files) != len(options.sources):
        return 0, 1
    return (sum(file["summary"]["lines"][key] for file in files) for key in ("covered", "count"))


def clean(options, directory):
    result = over_corpus(options.fuzzer, options, directory)
    if result.returncode != 0:
        return say_failure("an input of the corpus fails", result, directory)
    reached, total = lines_reached(options, directory)
    percent = 100 * reached / total
    print(f"the corpus reaches {percent:.1f} % of the lines; the floor is {options.floor} %")
    if percent < options.floor:
        return 1
    result = fuzz(options.fuzzer, options, directory)
    if result.returncode != 0 or artifacts(directory):
        return say_failure("the fuzzer found something", result, directory)
    print(f"nothing found in {options.runs} runs")
    return 0


def planted(options, directory):
    result = over_corpus(options.planted, options, directory)
    if result.returncode != 0:
        return say_failure("the corpus itself shows the planted defect", result, directory)
    result = fuzz(options.planted, options, directory)
    found = [path for path in artifacts(directory) if path.name.startswith("crash-")]
    if result.returncode == 0 or len(found) != 1:
        return say_failure(f"the planted defect was not found in {options.runs} runs", result, directory)
    print(f"found: {found[0].read_bytes()[:4096]!r}")
    result = run(options.fuzzer, directory, str(found[0]))
    if result.returncode != 0:
        return say_failure("that was another one: it is there without the planted defect too", result, directory)
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=["clean", "planted"])
    parser.add_argument("--fuzzer", required=True)
    parser.add_argument("--planted", help="the copy with the planted defect")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--floor", type=float, default=0, help="in percent of the lines of the sources")
    parser.add_argument("--sources", nargs="*", default=[])
    parser.add_argument("--profdata", default="llvm-profdata")
    parser.add_argument("--cov", default="llvm-cov")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        return clean(options, directory) if options.task == "clean" else planted(options, directory)


if __name__ == "__main__":
    sys.exit(main())
