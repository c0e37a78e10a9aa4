# SPDX-License-Identifier: Apache-2.0
"""What a disk may hold: each file system is read, each container is named, and nothing is written."""
import json
import struct
import subprocess

import disks
import entries

LUKS, LVM, MD, BTRFS = ("a LUKS encrypted volume", "an LVM physical volume", "a member of a Linux MD array",
                        "one of the 2 devices of a btrfs")


def file_systems(lab):
    """A disk for each file system, two of them partitions of one disk; the last has sectors of 4096 bytes."""
    def tree(title):
        path, entry = entries.bls(title)
        files = {path: entry, "/boot/vmlinuz": "k", "/boot/initrd.img": "i"}
        return disks.tree(lab.directory / title.split()[-1], files)
    return [disks.ext4(lab.directory / "ext4.img", tree("On ext4")),
            disks.xfs(lab.directory / "xfs.img", tree("On xfs")),
            disks.btrfs(lab.directory / "btrfs.img", tree("On btrfs")),
            disks.f2fs(lab.directory / "f2fs.img", tree("On f2fs")),
            disks.squashfs(lab.directory / "squashfs.img", tree("On squashfs")),
            disks.gpt(lab.directory / "gpt.img",
                      [(disks.vfat(lab.directory / "vfat.img", tree("On vfat")), disks.ESP, "esp"),
                       (disks.ext4(lab.directory / "part.img", tree("On a partition")), disks.LINUX, "root")]),
            disks.iso9660(lab.directory / "cd.iso", tree("On iso9660")),
            disks.ext4(lab.directory / "4k.img", tree("On 4k"))]


def lvm_checksum(data):
    """CRC-32 with a start value of its own and no final inversion."""
    crc = 0xf597a6cf
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xedb88320 if crc & 1 else 0)
    return crc


def put(image, offset, data):
    with open(image, "r+b") as file:
        file.seek(offset)
        file.write(data)


def containers(lab):
    """[(image, what it holds)]: by their tools, or, where those want a device of their own, by their first bytes."""
    luks = disks.empty(lab.directory / "luks.img", 32)
    subprocess.run(["cryptsetup", "luksFormat", "-q", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", luks,
                    "-"], input=b"x", check=True, env=disks.ENVIRONMENT)
    lvm = disks.empty(lab.directory / "lvm.img", 8)
    rest = (struct.pack("<I", 32) + b"LVM2 001" + b"u" * 32).ljust(512 - 20, b"\0")
    put(lvm, 512, b"LABELONE" + struct.pack("<QI", 1, lvm_checksum(rest)) + rest)
    member = disks.empty(lab.directory / "md.img", 8)
    put(member, 4096, struct.pack("<II", 0xa92b4efc, 1) + b"\1" * 120 + struct.pack("<QQQQ", 0, 8, 8, 8))
    put(member, 4096 + 216, struct.pack("<I", 0xc7496d2b))  # the sum of all words
    pair = [disks.empty(lab.directory / f"pair{n}.img", 128) for n in (1, 2)]
    disks.run("mkfs.btrfs", "-q", "-m", "raid1", "-d", "raid1", *pair)
    return [(luks, LUKS), (lvm, LVM), (member, MD), *((image, BTRFS) for image in pair)]


def test_every_file_system(lab):
    """each file system is read, on disks and partitions, each container is named, and nothing is written"""
    *made, iso, wide = file_systems(lab)
    held = containers(lab)
    plugged = [(path, "virtio-blk") for path in made] + [(iso, "cdrom"), (wide, "virtio-blk-4k")]
    plugged += [(path, "scsi") for path, _ in held]
    before = {path: disks.digest(path) for path, _ in plugged}
    with lab.machine(disks=plugged, append="stillboot.timeout=never") as machine:
        machine.sh("true", timeout=90)
        titles = [option["title"] for option in entries.wait_for_options(machine, 9)]
        machine.wait_sh(f"[ $(stillboot devices --json=short | grep -o '\"container\"' | wc -l) -ge {len(held)} ]")
        devices = json.loads(machine.sh("stillboot devices --json=short"))["devices"]
        shown = machine.sh("stillboot devices")
        lab.equal("every file system offers its entry", sorted(titles),
                  ["On 4k", "On a partition", "On btrfs", "On ext4", "On f2fs", "On iso9660", "On squashfs", "On vfat",
                   "On xfs"])
        lab.equal("every container is one", [device["state"] for device in devices].count("container"), len(held))
        for what in (LUKS, LVM, MD, BTRFS):
            lab.check(f"{what} is named, and not opened", f"holds {what}, which this build cannot open yet" in shown,
                      shown)
        lab.equal("no scan failed", [device for device in devices if device["state"] == "failed"], [])
        machine.wait_sh("! pidof stillboot-probe")  # which has told its result before it is gone
        lab.equal("no disk was locked out of a view", machine.sh("losetup -a").strip(), "")
        machine.sh("sync; (sleep 0.2; poweroff -f) >/dev/null 2>&1 &")
        machine.wait_off()
    lab.equal("no disk has changed", [path.name for path, old in before.items() if disks.digest(path) != old], [])
