# SPDX-License-Identifier: Apache-2.0
"""Disks that get each other's names while they are bound again, and disks that are copies of each other."""
import disks
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
        machine.sh("udevadm settle --timeout=30", timeout=40, check=False)
        lab.check("its name is another one's now",
                  machine.sh("readlink -f /dev/disk/by-label/STILLSTATE") != machine.sh("cat /tmp/before"))
        lab.equal("what was chosen is as it was", choices(lab, store), ("the wanted one", "another entry"))
        lab.check("the attempt is in the list", "it failed at the step load" in machine.sh("stillboot attempts"))
        lab.check("no record is left", machine.sh("[ ! -e /run/stillboot/handover.json ] && echo none", check=False)[1])
        machine.sh("stillboot set-oneshot --forget")
        lab.equal("the store is written to by its new name", choices(lab, store), (None, "another entry"))
        lab.check("nothing of ours is on the target", "stillboot." not in disks.run("debugfs", "-R", "ls -l /", target))
