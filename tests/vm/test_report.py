# SPDX-License-Identifier: Apache-2.0
"""What a hand-over did to the devices, read in the system that came next."""
import pathlib

import disks
import entries

LABELS = ["target", "STILLSTATE"]


def test_the_next_system_reads_the_report(lab):
    """the next system reads in the state store what the hand-over did, and on its command line how it ended"""
    kernel, initrd = lab.firmware()
    path, entry = entries.bls("The next one", initrds=["/boot/firmware.cpio"],
                              options=f"quiet stillboot.timeout=never firmware.shell=ttyS1 nonce={lab.nonce}")
    files = {"/boot/vmlinuz": pathlib.Path(kernel), "/boot/firmware.cpio": pathlib.Path(initrd), path: entry}
    target = disks.ext4(lab.directory / "target.img", disks.tree(lab.directory / "tree", files), label="target")
    store = disks.vfat(lab.directory / "store.img", disks.tree(lab.directory / "empty", {}), label="STILLSTATE",
                       size_mib=16)
    with lab.machine(disks=[(target, "nvme"), (store, "virtio-blk")], memory=1536,
                     append="stillboot.timeout=never stillboot.report_on_command_line=true") as machine:
        machine.sh("true", timeout=90)
        entries.wait_for_disks(machine, LABELS)
        status, said = machine.sh("stillboot quiesce report", check=False)
        lab.equal("before it there is nothing to report", (status, "nothing to report" in said), (3, True))
        before = machine.sh("cat /proc/sys/kernel/random/boot_id").strip()
        nvme = machine.sh("basename $(readlink /sys/class/nvme/nvme0/device)").strip()
        machine.wait_sh("stillboot list | grep -q 'The next one'")
        machine.sh("stillboot boot 'The next one'", timeout=60)
        machine.restarted()
        lab.check("it is the next system", f"nonce={lab.nonce}" in machine.sh("cat /proc/cmdline", timeout=120))
        entries.wait_for_disks(machine, LABELS)
        report = machine.sh("stillboot quiesce report", timeout=60)
        lab.check("the report is of the system before", before in report, report)
        lab.check("it comes from the state store", "told by the state store (/dev/vda)" in report, report)
        lab.check("and knows how long the disk took", f": {nvme} (nvme)" in report, report)
        lab.check("and what was kept", "kept " in report, report)
        word = machine.sh("grep -o 'stillboot.report=[^ ]*' /proc/cmdline").strip()
        lab.check("the command line knows the verdicts, which came after the store had gone",
                  word.startswith("stillboot.report=still:") and "moving:0" in word, word)
        status = machine.sh("stillboot status")
        lab.check("nothing went wrong, and nothing is said to have", "ended" not in status and "left alone" not in status,
                  status)
