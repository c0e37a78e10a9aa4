# SPDX-License-Identifier: Apache-2.0
"""Devices to rest and back, in a machine with many kinds of them."""
import hashlib
import pathlib
import re

import disks
import kinds
from lab import TOP

MOUNT = "mkdir -p /tmp/m; mount -o ro /dev/disk/by-label/{label} /tmp/m"


def carry(machine, label, names):
    """Copies files, the helper among them, from a disk into the machine's memory, so that nothing stays mounted."""
    machine.sh(MOUNT.format(label=label))
    for name in names:
        machine.sh(f"cp /tmp/m/{name} /tmp/{pathlib.Path(name).name}")
    machine.sh("umount /tmp/m; chmod +x /tmp/quiesce-machine")


def wait_for_hardware(machine, count):
    machine.settle(80)
    machine.wait_sh(f"[ $(ls /dev/disk/by-label | wc -l) -ge {count} ]")
    machine.settle(80)


def disk_digests(machine, labels):
    """What each disk holds, read past the page cache; label -> digest of the file system's hello."""
    found = {}
    for label in labels:
        machine.sh("echo 3 > /proc/sys/vm/drop_caches")
        machine.sh(MOUNT.format(label=label))
        found[label] = machine.sh("sha256sum < /tmp/m/hello; umount /tmp/m").split()[0]
    return found


def ping_all(machine):
    """The interfaces over which 10.0.2.2 answers, asked one at a time."""
    answering = []
    names = machine.sh("for n in /sys/class/net/*; do [ ! -e $n/device ] || basename $n; done").split()
    for name in names:
        machine.sh(f"ip link set {name} up")
    for name in names:
        command = (f"ip addr add 10.0.2.15/24 dev {name}; for i in 1 2 3 4 5 6 7 8; do "
                   f"ping -c1 -W1 -I {name} 10.0.2.2 >/dev/null 2>&1 && {{ echo answers; break; }}; done; "
                   f"ip addr flush dev {name}")
        if "answers" in machine.sh(command, timeout=40, check=False)[1]:
            answering.append(name)
    return sorted(names), sorted(answering)


def test_everything_unbinds_and_comes_back(lab):
    """every device of a machine with many kinds is unbound, verified, put back and works, and then it jumps"""
    helper = TOP / "build/tests/quiesce/quiesce-machine"
    hello = {kind: f"hello from {kind} {lab.nonce}" for kind in kinds.DISKS}
    images = []
    for kind, text in hello.items():
        files = {"hello": text}
        if kind == "nvme":
            files |= lab.boot_files() | {"quiesce-machine": helper}
        images.append((disks.ext4(lab.directory / f"{kind}.img", disks.tree(lab.directory / kind, files), label=kind,
                                  size_mib=None if kind == "nvme" else 32), kind))
    wanted = {kind: hashlib.sha256(text.encode()).hexdigest() for kind, text in hello.items()}
    with lab.machine(arguments=kinds.arguments(images), memory=2048, limit=400) as machine:
        machine.sh("true", timeout=90)
        wait_for_hardware(machine, len(kinds.DISKS))
        lab.equal("every disk is there", sorted(machine.sh("ls /dev/disk/by-label").split()), sorted(kinds.DISKS))
        carry(machine, "nvme", ["quiesce-machine", "boot/vmlinuz", "boot/initrd.img"])
        lab.equal("every disk holds its bytes before", disk_digests(machine, kinds.DISKS), wanted)
        names, answering = ping_all(machine)
        lab.equal("every network card answers before", answering, names)
        lab.equal("all network cards are there", len(names), len(kinds.NICS))

        machine.sh("mount -o ro /dev/disk/by-label/nvme /tmp/m")
        status, text = machine.sh("/tmp/quiesce-machine run", check=False, timeout=60)
        lab.check("a mounted disk refuses by name", status == 1 and "/dev/nvme0n1 is mounted at /tmp/m" in text, text)
        machine.sh("umount /tmp/m")

        bound = machine.sh("ls -d /sys/bus/pci/drivers/*/0000:*").split()
        status, text = machine.sh("/tmp/quiesce-machine plan run verify", check=False, timeout=300)
        lab.say("\n" + text)
        lab.equal("all is unbound and at rest", status, 0)
        lab.check("nothing moves", "moving" not in text, text)
        acts = re.findall(r"^(?:done|already gone) \S+ \(.+\): \d+ ms$", text, re.MULTILINE)
        lines = machine.sh("dmesg | grep -o 'stillboot: unbind [0-9]*/' | grep -o '[0-9]*'").split()
        lab.equal("each act has its line in the kernel's log, and none is lost",
                  [int(number) for number in lines], list(range(1, len(acts) + 1)))
        lab.equal("only the kept drivers are left on PCI",
                  sorted(set(re.findall(r"drivers/([^/]+)/", machine.sh("ls -d /sys/bus/pci/drivers/*/0000:*")))),
                  ["ahci", "i6300ESB timer", "lpc_ich"])
        lab.equal("the displays went last", sorted(re.findall(r"^done .*\((.+)\):", text, re.MULTILINE)[-3:]),
                  ["bochs-drm", "virtio-pci", "virtio_gpu"])

        status, text = machine.sh("/tmp/quiesce-machine undo", check=False, timeout=200)
        lab.say("\n" + text)
        lab.equal("undo says that everything is back", status, 0)
        lab.equal("the same devices are bound", machine.sh("ls -d /sys/bus/pci/drivers/*/0000:*").split(), bound)
        lab.equal("autoprobe is on again", set(machine.sh("cat /sys/bus/*/drivers_autoprobe").split()), {"1"})
        machine.settle(80)
        lab.equal("every disk holds its bytes again", disk_digests(machine, kinds.DISKS), wanted)
        names_after, answering = ping_all(machine)
        lab.equal("the network cards have their names", names_after, names)
        lab.equal("every network card answers again", answering, names)

        machine.sh("kexec -s -l /tmp/vmlinuz --initrd=/tmp/initrd.img "
                   f"--append='console=ttyS0 no_timer_check quiet panic=-1 nonce={lab.nonce}'", timeout=60)
        machine.sh("/tmp/quiesce-machine run verify", timeout=300)
        machine.sh("(sleep 0.2; kexec -e) >/dev/null 2>&1 &")
        said = machine.wait_marker()
        lab.equal("kexec started the next kernel", said["bootloader_type"], "208")
        lab.check("it is ours", f"nonce={lab.nonce}" in said["cmdline"], said["cmdline"])
        machine.wait_off()
