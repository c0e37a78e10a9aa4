#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One machine with all kinds of device that QEMU has: what the next kernel finds in their registers after each way
into it, and how long the devices take on that way: ours from the first look at the machine to the last verdict, the
kernel's own from `kexec -e` to the end of device_shutdown. In software emulation.

usage: at_rest_bench.py [ROUNDS]
"""
import re
import statistics
import sys
import tempfile

import machines  # noqa: F401 (before those of the machine tests)
import kinds
import lab
import test_at_rest as at_rest

BEGINS = "kexec-begins"


def timed_kexec(machine, args):
    at_rest.load_by_kexec(machine, "-l", args)
    machine.sh(f"(sleep 0.2; echo {BEGINS} >/dev/kmsg; kexec -e) >/dev/null 2>&1 &")


# The crash kernel is the control: it skips device_shutdown, so there is nothing to time.
WAYS = {"control": at_rest.crash, "plain kexec -e": timed_kexec, "ours": at_rest.ours}


def kernel_time(text, line):
    """Seconds at which the kernel says a line; its own clock."""
    return float(re.search(rf"\[ *(\d+\.\d+)\][^\n]*{line}", text)[1])


def milliseconds(way, text):
    """(what the devices took, which is it in words); none for the control."""
    if way == "plain kexec -e":
        return round((kernel_time(text, "Starting new kernel") - kernel_time(text, BEGINS)) * 1000)
    if way == "ours":
        steps = re.search(r"stillboot: jumping after \d+ ms \(([^)]*)\)", text)[1]
        took = {name: int(number) for name, number in re.findall(r"([a-z-]+) (\d+)", steps)}
        return took["unbind"] + took["check"]
    return None


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    armed, times = {}, {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory(prefix="stillboot-bench-") as directory:
        room = lab.Lab(directory)
        args = at_rest.arguments(room)
        image, hardware = at_rest.target(room, args), at_rest.hardware(room)
        for number in range(rounds):
            for name, way in WAYS.items():
                if name == "control" and number > 0:
                    continue
                states, _, text = at_rest.read_registers(room, way, name, image, hardware, args,
                                                         console="console=ttyS0 loglevel=6 panic=-1")
                armed[name] = states
                times[name].append(milliseconds(name, text))
    count = len(kinds.NICS) + len(kinds.OTHERS) + len(at_rest.DISKS) + len(("virtio-blk", "qemu-xhci"))
    print(f"\nA machine with {count} kinds of device; what the next kernel read before any driver loaded\n")
    print(at_rest.table(armed))
    print(f"\nmilliseconds, median of {rounds}, from \"go\" to all devices still\n")
    for name in ("plain kexec -e", "ours"):
        print(f"  {name:<18}{round(statistics.median(times[name])):>8}")
    left = [kind for kind, (state, _) in armed["ours"].items()
            if state == "armed" and armed["control"].get(kind, ("",))[0] == "armed" and kind not in at_rest.KEPT]
    return 1 if left or room.failed else 0


sys.exit(main())
