#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""From the boot request to the jump, step by step, beside plain `kexec -s -l` of the same kernel in the same machine
a moment before, and `kexec -e` in another one like it. Times are those of software emulation, and of a host that may
have more to do at one moment than at the next: what stands beside each other was measured within seconds.

usage: handover.py [ROUNDS]
"""
import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile

from machines import TOP
import disks
import entries
import lab

HARDWARE = ["-netdev", "user,id=n0,restrict=on", "-device", "e1000e,netdev=n0,romfile=",
            "-netdev", "user,id=n1,restrict=on", "-device", "virtio-net-pci,netdev=n1,romfile="]
ARGUMENTS = "console=ttyS0 panic=-1 quiet"


@contextlib.contextmanager
def started(room, image):
    """A machine that is up and has found the entry."""
    with room.machine(disks=[(image, "nvme")], arguments=HARDWARE, append="stillboot.timeout=never") as machine:
        machine.wait_sh("stillboot list | grep -q Marker")
        machine.settle()
        yield machine


def copy_and_load(machine):
    """Milliseconds that plain kexec takes to copy both files off the disk and to load them; they stay loaded."""
    clock = "awk '{ printf \"%d \", $1 * 1000 }' /proc/uptime"
    times = machine.sh(
        "mkdir -p /tmp/m && mount -o ro /dev/disk/by-label/root /tmp/m && "
        f"{clock} && cp /tmp/m/boot/vmlinuz /tmp/m/boot/initrd.img /tmp && {clock} && "
        f"kexec -s -l /tmp/vmlinuz --initrd=/tmp/initrd.img --append='{ARGUMENTS}' && {clock} && umount /tmp/m",
        timeout=120)
    first, copied, loaded = map(int, times.split())
    return {"fetch": copied - first, "load": loaded - copied, "request to jump": loaded - first}


def plain_kexec(room, image):
    """Milliseconds from kexec -e, which shuts the devices down, to the marker."""
    with started(room, image) as machine:
        times = copy_and_load(machine)
        began = machine.seconds
        machine.sh("(kexec -e >/dev/null 2>&1 &)")
        machine.wait_marker()
        reached = round((machine.console.seconds_at("MARKER release") - began) * 1000)
        return {"jump to marker": reached, "request to marker": times["request to jump"] + reached}


def hand_over(room, image):
    """Plain kexec's times, and ours: each step, as the last line before the jump says, and from there to the marker."""
    with started(room, image) as machine:
        plain = copy_and_load(machine)
        machine.sh("kexec -u; rm /tmp/vmlinuz /tmp/initrd.img; echo 3 >/proc/sys/vm/drop_caches")
        machine.sh("(stillboot boot Marker --wait >/dev/null 2>&1 &)")
        machine.wait_marker()
        line = re.search(r"stillboot: jumping after (\d+) ms \(([^)]*)\)", machine.console.text)
        steps = {name: int(number) for name, number in re.findall(r"([a-z-]+) (\d+)", line.group(2))}
        began = machine.console.seconds_at("stillboot: jumping after")
        reached = round((machine.console.seconds_at("MARKER release") - began) * 1000)
        return plain, {**steps, "request to jump": int(line.group(1)), "jump to marker": reached,
                       "request to marker": int(line.group(1)) + reached}


def row(name, *rounds):
    cells = "".join(f"{round(statistics.median(values)):>14}" if values else f"{'':>14}" for values in rounds)
    print(f"  {name:<18}{cells}")


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    if "STILLBOOT_VM_FIRMWARE" not in os.environ:
        made = subprocess.run([TOP / "dev", "firmware"], check=True, stdout=subprocess.PIPE, text=True)
        os.environ["STILLBOOT_VM_FIRMWARE"] = ":".join(made.stdout.split()[-2:])
    with tempfile.TemporaryDirectory(prefix="stillboot-bench-") as directory:
        room = lab.Lab(directory)
        path, entry = entries.bls("Marker", options="quiet")
        files = disks.tree(room.directory / "tree", {**room.boot_files(), path: entry})
        image = disks.ext4(room.directory / "root.img", files, label="root")
        plain, ours = [], []
        for _ in range(rounds):
            jumped = plain_kexec(room, image)
            beside, steps = hand_over(room, image)
            plain.append({**jumped, **beside})
            ours.append(steps)
    print(f"milliseconds, the median of {rounds}; after kexec -e the kernel still shuts its devices down\n")
    print(f"  {'':<18}{'stillboot':>14}{'kexec -s':>14}")
    for name in list(ours[0]):
        row(name, [measured[name] for measured in ours], [m[name] for m in plain if name in m])


main()
