# SPDX-License-Identifier: Apache-2.0
"""Devices at rest: what the next kernel finds in the registers of every kind of device, before any driver loads.

Four ways into the same next system: through the crash kernel, which skips every driver's shutdown (the control:
a kind counts only if it reads armed there); plain `kexec -e`; ours; and ours through the crash kernel, where
nothing but our unbinding can have made a device still.
"""
import pathlib
import re

import disks
import kinds
from lab import TOP

MINIMUM_KINDS = 16
KEPT = {"ahci"}  # by policy: its shutdown is the gentler one

DISKS = [kind for kind in kinds.DISKS if kind != "virtio-blk"]  # that one is booted from
NICS = kinds.NICS

ENTRY = """set default=0
menuentry 'at rest' --id at-rest {{
    linux /boot/vmlinuz {args}
    initrd /boot/firmware.cpio /boot/at-rest.cpio
}}
"""


def hardware(lab):
    """The QEMU arguments of all devices but the disk that is booted from."""
    images = []
    for kind in DISKS:
        image = disks.empty(lab.directory / f"{kind}.img", 8)
        with open(image, "r+b") as file:
            file.write(f"disk-{kind}".encode())
        images.append((image, kind))
    return kinds.arguments(images)


def at_rest_archive(lab):
    """The second initrd of the target: the reader and its init."""
    root = disks.tree(lab.directory / "at-rest", {})
    (root / "at_rest").mkdir()
    source = TOP / "tests/vm/at_rest"
    disks.run("g++", "-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s", "-o",
              root / "at_rest/at_rest", source / "at_rest.cpp")
    (root / "at_rest/init").write_text((source / "init").read_text())
    (root / "at_rest/init").chmod(0o755)
    return disks.cpio(lab.directory / "at-rest.cpio", root)


def target(lab, args):
    kernel, initrd = lab.firmware()
    tree = disks.tree(lab.directory / "tree", {
        "/boot/vmlinuz": pathlib.Path(kernel),
        "/boot/firmware.cpio": pathlib.Path(initrd),
        "/boot/at-rest.cpio": at_rest_archive(lab),
        "/boot/grub/grub.cfg": ENTRY.format(args=args),
    })
    return disks.ext4(lab.directory / "target.img", tree, label="target")


def prepare(machine):
    """All drivers loaded, every disk read, every network card up and in use."""
    machine.settle(120)
    wanted = len(DISKS) + 1
    machine.sh(f"n=0; while [ $(ls -d /sys/class/block/sd? /sys/class/block/vd? /sys/class/block/nvme?n? "
               f"/sys/class/block/mmcblk? 2>/dev/null | wc -l) -lt {wanted} ] && [ $n -lt 300 ]; "
               "do n=$((n+1)); sleep 0.2; done", timeout=90)
    machine.sh("for d in /sys/class/block/*; do dd if=/dev/${d##*/} of=/dev/null bs=4096 count=16 2>/dev/null; done; "
               "for n in /sys/class/net/*; do ip link set ${n##*/} up; done", timeout=60)


def load_by_kexec(machine, kind, args):
    """Loads the target by the kexec program: kind is -l (for kexec -e) or -p (the crash kernel)."""
    machine.sh("mkdir -p /tmp/t; mount -o ro -L target /tmp/t 2>/dev/null || mount -o ro /dev/disk/by-label/target /tmp/t; "
               "cat /tmp/t/boot/firmware.cpio /tmp/t/boot/at-rest.cpio >/tmp/initrd; "
               f"kexec -s {kind} /tmp/t/boot/vmlinuz --initrd=/tmp/initrd --append='{args}' && umount /tmp/t", timeout=120)


def plain_kexec(machine, args):
    load_by_kexec(machine, "-l", args)
    machine.sh("(sleep 0.2; kexec -e) >/dev/null 2>&1 &")


def crash(machine, args):
    load_by_kexec(machine, "-p", args)
    machine.sh("(sleep 0.2; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &")


def ours(machine, _args):
    machine.sh("n=0; until stillboot list | grep -q 'at rest' || [ $n -gt 300 ]; do n=$((n+1)); sleep 0.2; done; "
               "stillboot boot 'at rest'", timeout=120)


def ours_and_crash(machine, args):
    load_by_kexec(machine, "-p", args)
    machine.sh("(stillboot quiesce run >/tmp/quiesce.log 2>&1 && echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &")


def arguments(lab):
    """The command line of the next system."""
    return (f"console=ttyS0 no_timer_check quiet panic=-1 rdinit=/at_rest/init at_rest.disks={len(DISKS) + 1} "
            f"at_rest.nics={len(NICS)} nonce={lab.nonce}")


def read_registers(lab, way, name, image, devices, args, **options):
    """Goes one way into the target; answers with ({kind: (state, master)}, {what works}, what the console said).
    options: of the machine."""
    with lab.machine(disks=[(image, "virtio-blk")], arguments=devices, memory=3072, limit=400,
                     append="crashkernel=640M stillboot.timeout=never", **options) as machine:
        prepare(machine)
        way(machine, args)
        machine.console.expect(r"AT-REST over", timeout=200, what=f"the next system after {name}")
        text = machine.console.text
        lab.say(f"{name}: the next system was through after {machine.seconds:.0f} s")
    states = {kind: (state, master == "1") for kind, state, master in
             re.findall(r"AT-REST \S+ (\S+) (armed|idle|unknown) master=(\d)", text)}
    works = set(re.findall(r"WORKS (\w+ \S+)(?: answers)?\r?$|WORKS (disk \S+) ", text, re.MULTILINE))
    works = {first or second for first, second in works}
    lab.equal(f"{name}: kexec started the next kernel",
              re.findall(r"AT-REST loader (\d+)", text), ["208"])
    return states, works, text


def table(columns):
    rows = ["kind            " + "".join(f"{name:>22}" for name in columns)]
    for kind in sorted(next(iter(columns.values()))):
        cells = [column.get(kind, ("missing", False)) for column in columns.values()]
        words = [state + (" (master)" if master else "") for state, master in cells]
        rows.append(f"{kind:<16}" + "".join(f"{word:>22}" for word in words))
    return "\n".join("        " + row for row in rows)


def test_devices_are_at_rest(lab):
    """every kind of device is still in the next kernel, and works there"""
    args = arguments(lab)
    image = target(lab, args)
    devices = hardware(lab)
    columns, working = {}, {}
    for name, way in (("control", crash), ("plain kexec -e", plain_kexec), ("ours", ours),
                      ("ours, crash kernel", ours_and_crash)):
        columns[name], working[name], text = read_registers(lab, way, name, image, devices, args)
        if name == "ours":
            lab.check("ours: the next kernel's command line holds the nonce", f"nonce={lab.nonce}" in text)
    lab.say("what the next kernel read before any driver loaded:\n" + table(columns))
    counting = {kind for kind, (state, _) in columns["control"].items() if state == "armed"} - KEPT
    lab.check(f"at least {MINIMUM_KINDS} kinds read armed in the control", len(counting) >= MINIMUM_KINDS,
              f"        {len(counting)}: {sorted(counting)}")
    for name in ("ours", "ours, crash kernel"):
        armed = sorted(kind for kind in counting if columns[name].get(kind, ("missing",))[0] != "idle")
        lab.equal(f"{name}: none of them is armed", armed, [])
        mastering = sorted(kind for kind in counting if columns[name].get(kind, ("", True))[1])
        lab.equal(f"{name}: none of them masters the bus", mastering, [])
        lab.equal(f"{name}: every disk reads back its bytes",
                  sorted(word for word in working[name] if word.startswith("disk disk-")),
                  sorted(f"disk disk-{disk}" for disk in DISKS))
        lab.equal(f"{name}: every network card answers",
                  sum(word.startswith("nic ") for word in working[name]), len(NICS))
    lab.say(f"kept by policy, armed in the last column: {sorted(KEPT & set(columns['ours, crash kernel']))}")
