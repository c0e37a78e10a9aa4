#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures discovery with 4, 16 and 64 disks beside a floor, in one machine; prints a table and judges nothing.

usage: discovery_bench.py [DIRECTORY]
"""
import os
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "vm"))
# As where the package manager puts what only root runs.
os.environ["PATH"] += ":/usr/sbin:/sbin"
SKIPPED = 77  # what meson takes for "skipped"


def why_not():
    """An empty string, or why no machine can be started here."""
    missing = [name for name in ("qemu-system-x86_64", "mke2fs", "cpio", "gcc") if shutil.which(name) is None]
    try:
        import pyte  # noqa: F401: the machine room reads screens with it
    except ImportError:
        missing.append("python3-pyte")
    return f"needs {', '.join(missing)}" if missing else ""


if WHY_NOT := why_not():
    print(f"skipped: {WHY_NOT}")
    sys.exit(SKIPPED)

import disks  # noqa: E402
import lab as machine_room  # noqa: E402

COUNTS = (4, 16, 64)
GRUB_CFG = """set timeout=5
set default=0
menuentry 'Entry-{n}' --class debian $menuentry_id_option 'e{n}' {{
  search --no-floppy --fs-uuid --set=root {uuid}
  linux /boot/vmlinuz root=UUID={uuid} ro quiet
  initrd /boot/initrd.img
}}
"""

WITHOUT_LABEL = ("for disk in /sys/class/block/sd*; do udevadm info -q property $disk | grep -q ^ID_FS_LABEL= || "
                 "udevadm info $disk; done; ls /dev/disk/by-label | wc -l")


def make_disk(lab, program, number):
    uuid = disks.new_uuid()
    files = {"/boot/grub/grub.cfg": GRUB_CFG.format(n=number, uuid=uuid), "/boot/vmlinuz": "k", "/boot/initrd.img": "i"}
    if number == 0:
        files["/bench"] = program
    tree = disks.tree(lab.directory / f"tree{number}", files)
    return disks.ext4(lab.directory / f"disk{number}.img", tree, uuid=uuid, label=f"d{number}")


def figures(text):
    return {name: int(value) for name, value in (line.split() for line in text.split("\n") if line)}


def measure(machine, count):
    """One row: the floor, then the daemon, both with cold caches."""
    devices = " ".join(f"/dev/disk/by-label/d{number}" for number in range(count))
    try:
        machine.wait_sh(f"ls {devices}", 120)
    except AssertionError:
        # At times one of 64 disks has no link for ever: what udev knows of it may tell why.
        print(machine.sh(WITHOUT_LABEL, timeout=60, check=False)[1])
        raise
    machine.settle()
    machine.sh("sync; echo 3 >/proc/sys/vm/drop_caches")
    floor = figures(machine.sh(f"/tmp/bench floor {devices}", timeout=120))
    machine.sh("sync; echo 3 >/proc/sys/vm/drop_caches")
    return floor, figures(machine.sh(f"/tmp/bench daemon {count}", timeout=300))


def start_machine(lab, images):
    return lab.machine(disks=[(path, "scsi") for path in images[:COUNTS[0]]], append="stillboot.timeout=never",
                       limit=900)


def prepare(machine):
    """Ends the firmware's own daemon for good, and fetches the program that measures from the first disk."""
    machine.wait_sh("[ -e /dev/disk/by-label/d0 ]")
    machine.settle()
    machine.sh("mount -o ro /dev/disk/by-label/d0 /mnt; cp /mnt/bench /tmp/bench; "
               "umount /mnt; chmod +x /tmp/bench; "
               "printf '#!/bin/sh\\nexec sleep 1000000\\n' >/usr/lib/stillboot-firmware/daemon; "
               "kill $(pidof stillbootd); while pidof stillbootd; do sleep 1; done", timeout=120)
    return figures(machine.sh("/tmp/bench start /usr/libexec/stillboot/stillboot-probe", timeout=60))["start"]


def plug(machine, images, first, count):
    for number in range(first, count):
        machine.monitor("blockdev-add", driver="raw", node_name=f"n{number}",
                        file={"driver": "file", "filename": str(images[number])})
        machine.monitor("device_add", driver="scsi-hd", drive=f"n{number}", bus="scsi0.0", id=f"x{number}")


def row(count, floor, ours, start):
    limit = 1.5 * floor["first"] + start
    cells = [floor["first"], floor["all"], ours["socket"], ours["first"], limit, ours["all"]]
    return (f"{count:5} {''.join(f'{cell / 1000:9.0f} ms' for cell in cells)} {ours['all'] / 1000 / count:9.0f} ms"
            f" {ours['VmRSS'] / 1024:8.1f} MB {ours['VmHWM'] / 1024:8.1f} MB")


def measure_all(directory):
    lab = machine_room.Lab(directory)
    program = lab.directory / "discovery_bench"
    disks.run("gcc", "-O2", "-static", "-s", "-o", program, HERE / "discovery_bench.c")
    images = [make_disk(lab, program, number) for number in range(max(COUNTS))]
    with start_machine(lab, images) as machine:
        start = prepare(machine)
        print(f"discovery in a machine; one start of stillboot-probe takes {start / 1000:.0f} ms there", flush=True)
        print("disks  floor: first          all  socket open  first entry     at most*  all entries     per disk"
              "    resident        peak")
        plugged = COUNTS[0]
        for count in COUNTS:
            plug(machine, images, plugged, count)
            plugged = count
            print(row(count, *measure(machine, count), start), flush=True)
        print("* 1.5 times the floor's first and one start of a probe. Floor: a static program that mounts each disk in"
              " turn and reads its grub.cfg")


def main():
    if len(sys.argv) > 1:
        return measure_all(pathlib.Path(sys.argv[1]))
    with tempfile.TemporaryDirectory(prefix="stillboot-bench-") as directory:
        measure_all(directory)


main()
