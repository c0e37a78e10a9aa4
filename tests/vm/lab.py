# SPDX-License-Identifier: Apache-2.0
"""What a machine test is given: checks that are counted, a directory, the firmware, the marker system."""
import functools
import os
import pathlib
import re
import secrets
import signal
import subprocess
import sys
import time

import disks
from machine import Machine

TOP = pathlib.Path(__file__).resolve().parents[2]


class Lab:
    """One test's surroundings; see README.md."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.passed, self.failed = 0, 0
        self.nonce = "n" + secrets.token_hex(6)
        self._start = time.monotonic()

    def say(self, text):
        print(f"    {time.monotonic() - self._start:6.1f} s  {text}", flush=True)

    def check(self, sentence, holds, detail=""):
        """Counts one check; a failed one is printed with its detail, and the test goes on."""
        if holds:
            self.passed += 1
            self.say(f"ok: {sentence}")
        else:
            self.failed += 1
            self.say(f"NOT OK: {sentence}\n{detail}")
        return bool(holds)

    def equal(self, sentence, got, wanted):
        return self.check(sentence, got == wanted, f"        got    {got!r}\n        wanted {wanted!r}")

    # Made once for all tests by run.py, or now by ./dev.

    def firmware(self, suite="bookworm", with_modules=()):
        """The firmware's (kernel, initramfs)."""
        made = os.environ.get("STILLBOOT_VM_FIRMWARE", "").split(":")
        if suite == "bookworm" and not with_modules and len(made) == 2:
            return made[0], made[1]
        words = [str(TOP / "dev"), "firmware", "--suite", suite]
        for glob in with_modules:
            words += ["--with-modules", glob]
        return tuple(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-2:])

    @functools.cached_property
    def marker(self):
        """The marker system's initramfs (a path)."""
        root = disks.tree(self.directory / "marker", {})
        disks.run("gcc", "-Os", "-static", "-nostdlib", "-nostartfiles", "-ffreestanding", "-fno-stack-protector",
                  "-fno-asynchronous-unwind-tables", "-s", "-o", root / "init", TOP / "tests/vm/marker.c")
        return disks.cpio(self.directory / "marker.cpio", root)

    def module_initrd(self, setup, suite="bookworm", files=None):
        """The firmware's initramfs with the module still_test (tests/vm/module) in it, and further files: each start
        of the machine loads it and runs `setup` (shell) before the daemon starts."""
        made = subprocess.run([TOP / "dev", "module", "--suite", suite], check=True, stdout=subprocess.PIPE, text=True)
        daemon = (TOP / "packaging/firmware/daemon").read_text()
        first = ("[ -e /dev/still_test ] || { insmod /test/still_test.ko && sh -e /test/setup; } >/dev/kmsg 2>&1\n"
                 "stillbootd --log=kmsg >")
        assert daemon.count("\nstillbootd --log=kmsg >") == 1
        root = disks.tree(self.directory / "module", {
            "/test/still_test.ko": pathlib.Path(made.stdout.split()[-1]),
            "/test/setup": setup,
            **(files or {}),
            "/usr/lib/stillboot-firmware/daemon": daemon.replace("stillbootd --log=kmsg >", first, 1)})
        (root / "usr/lib/stillboot-firmware/daemon").chmod(0o755)
        added = disks.cpio(self.directory / "module.cpio", root)
        together = self.directory / "with-module.cpio"
        together.write_bytes(pathlib.Path(self.firmware(suite)[1]).read_bytes() + pathlib.Path(added).read_bytes())
        return together

    def machine(self, **options):
        """A machine that starts the firmware; options are Machine's, and kernel and initrd may be left out."""
        if "kernel" not in options:
            options["kernel"], options["initrd"] = self.firmware()
        number = len(list(self.directory.glob("machine*")))
        return Machine(self.directory / f"machine{number}", **options)

    def boot_files(self, kernel="/boot/vmlinuz", initrd="/boot/initrd.img"):
        """Files of a target that boots the marker system with the firmware's kernel (for disks.tree)."""
        return {kernel: pathlib.Path(self.firmware()[0]), initrd: self.marker}


def last_words(directory):
    """What each machine of a test said last on its console."""
    for log in sorted(pathlib.Path(directory).glob("machine*/console.log")):
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", " ", log.read_bytes().decode("utf-8", "replace"))
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        print(f"    {log.parent.name} ended its console with:")
        print("\n".join("        " + line[-200:] for line in lines[-15:]), flush=True)


def main(test_file):
    """Runs the tests of one file: each function test_*, its docstring being its name. Called by run.py."""
    module, name, directory = sys.modules["__main__"], sys.argv[1], sys.argv[2]
    assert pathlib.Path(test_file).exists()
    # A test that is told to end leaves no machine behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    lab = Lab(directory)
    try:
        getattr(module, name)(lab)
    except Exception as problem:  # whatever stops a test is a failed test
        import traceback
        traceback.print_exc(file=sys.stdout)
        last_words(directory)
        lab.check(f"{name} runs to its end", False, f"        {type(problem).__name__}: {problem}")
    if lab.passed + lab.failed == 0:
        lab.check(f"{name} checks something", False)
    print(f"RESULT {lab.passed} {lab.failed}", flush=True)
