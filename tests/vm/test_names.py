# SPDX-License-Identifier: Apache-2.0
"""Disks that get each other's names while they are bound again, and disks that are copies of each other."""
import json
import shutil

import disks
import entries
import still
from test_killed import choices


def test_disks_that_swap_their_names(lab):
    """two NVMe disks, of which the state store's goes last and comes back first: each keeps what is its own"""
    target, store = still.grub_entry(lab), still.store(lab)
    with lab.machine(disks=[(target, "nvme"), (store, "nvme")], append="stillboot.timeout=never stillboot.trial=never",
                     limit=300) as machine:
        still.wait_for_entry(machine)
        machine.wait_sh(still.LOOKED)
        machine.sh("stillboot set-default 'another entry'; stillboot set-oneshot 'the wanted one'; "
                   "readlink -f /dev/disk/by-label/STILLSTATE >/tmp/before; echo 1 >/proc/sys/kernel/kexec_load_disabled")
        machine.sh("stillboot boot 'the wanted one' --wait", timeout=200, check=False)
        entries.wait_for_disks(machine, ["STILLSTATE"])
        now, before = machine.sh("readlink -f /dev/disk/by-label/STILLSTATE"), machine.sh("cat /tmp/before")
        lab.check("its name is another one's now", now.startswith("/dev/nvme") and now != before, f"{before}{now}")
        lab.equal("what was chosen is as it was", choices(store), ("the wanted one", "another entry"))
        lab.check("the attempt is in the list", "it failed at the step load" in machine.sh("stillboot attempts"))
        lab.check("no record is left", machine.sh("[ ! -e /run/stillboot/handover.json ] && echo none", check=False)[1])
        machine.sh("stillboot set-oneshot --forget")
        lab.equal("the store is written to by its new name", choices(store), (None, "another entry"))
        lab.check("nothing of ours is on the target", "stillboot." not in disks.run("debugfs", "-R", "ls -l /", target))


def test_copies_of_a_disk(lab):
    """two disks with the same UUID: a try is given back where it was taken, and the mounted one is blessed"""
    files = lab.boot_files() | {"/loader/entries/first+3.conf": entries.bls("First", options="a=b")[1]}
    one = disks.vfat(lab.directory / "one.img", disks.tree(lab.directory / "one", files), label="ONE")
    two = lab.directory / "two.img"
    shutil.copyfile(one, two)

    def names(image):
        return disks.run("mdir", "-b", "-i", image, "::/loader/entries")

    with lab.machine(disks=[(one, "nvme"), (two, "virtio-blk")], limit=300,
                     append="stillboot.timeout=never stillboot.trial=never "
                            "stillboot-bless.entry=UUID=1234-5678:/loader/entries/first.conf") as machine:
        both = "[ $(stillboot list --json=short | grep -o '\"title\"' | wc -l) -ge 2 ]"
        machine.sh("true", timeout=90)
        machine.wait_sh(f"{still.LOOKED} && {both}")
        machine.sh("echo 1 >/proc/sys/kernel/kexec_load_disabled")
        for option in json.loads(machine.sh("stillboot list --json=short"))["options"]:
            status, said = machine.sh(f"stillboot boot '{option['id']}' --wait", timeout=200, check=False)
            lab.check(f"{option['id']} fails at its load", status != 0 and "kexec_load_disabled" in said, said)
            machine.wait_sh(f"udevadm settle --timeout=30; {both}")
            for image in (one, two):
                lab.check(f"{image.name} has its name after {option['id']}", "first+3.conf" in names(image), names(image))
        said = machine.sh("stillboot bless", check=False)
        lab.check("without a mounted one it is refused", said[0] != 0 and "is not clear" in said[1], said)
        machine.sh("mkdir -p /boot && mount -t vfat /dev/vda /boot && stillboot bless && umount /boot")
        lab.check("the mounted one is blessed", "first.conf" in names(two) and "first+3.conf" in names(one))
