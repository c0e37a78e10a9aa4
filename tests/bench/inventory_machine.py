#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Reading the inventory in a machine with many kinds of device, beside `find /sys/devices -name driver` there. Times are
those of software emulation.
"""
import statistics
import sys
import tempfile

import machines  # noqa: F401 (before those of the machine tests)
import disks
import kinds
import lab

ROUNDS = 5
COMMANDS = {"stillboot quiesce record": "stillboot quiesce record", "stillboot quiesce plan": "stillboot quiesce plan",
            "find /sys/devices -name driver": "find /sys/devices -name driver",
            "stillboot --version, for its start": "stillboot --version"}


def seconds(machine, command):
    """Median of some rounds, by the machine's own clock."""
    clock = "awk '{ printf \"%s \", $1 }' /proc/uptime"
    text = machine.sh(f"for i in $(seq {ROUNDS}); do {clock}; {command} >/dev/null 2>&1; {clock}; done", timeout=120)
    times = [float(word) for word in text.split()]
    return statistics.median(end - begin for begin, end in zip(times[::2], times[1::2]))


def main():
    with tempfile.TemporaryDirectory() as directory:
        room = lab.Lab(directory)
        images = [(disks.ext4(room.directory / f"{kind}.img", disks.tree(room.directory / kind, {"hello": kind}),
                              label=kind, size_mib=32), kind) for kind in kinds.DISKS]
        with room.machine(arguments=kinds.arguments(images), memory=2048, limit=400) as machine:
            machine.wait_sh(f"[ $(ls /dev/disk/by-label | wc -l) -ge {len(kinds.DISKS)} ]", seconds=80)
            machine.wait_sh("stillboot quiesce plan", seconds=80)  # once no scan is under way
            devices = machine.sh("ls -d /sys/bus/*/devices/* | wc -l; find /sys/devices -name driver | wc -l").split()
            print(f"A machine with many kinds of device, in emulation, median of {ROUNDS}: {devices[0]} devices on "
                  f"buses, {devices[1]} bound")
            for name, command in COMMANDS.items():
                print(f"{name:40} {seconds(machine, command):8.2f} s")
    return 0


sys.exit(main())
