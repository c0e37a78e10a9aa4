# SPDX-License-Identifier: Apache-2.0
"""Boot counting across real restarts of one machine: what the names of the entries' files are, read from the disk."""
import pathlib
import re

import disks
import entries

WORD = re.compile(r"stillboot-bless\.entry=PARTUUID=[0-9a-f-]+:/loader/entries/second\.conf(?: |$)")


def esp(lab):
    """A disk with an ESP: an entry whose system panics, and one behind it that is our firmware again."""
    kernel, initrd = lab.firmware()
    again = f"console=ttyS0 no_timer_check quiet panic=-1 stillboot.timeout=never stillboot.trial=never firmware.shell=ttyS1 " \
            f"nonce={lab.nonce}"
    files = {"/vmlinuz": pathlib.Path(kernel), "/firmware.cpio": pathlib.Path(initrd),
             "/nothing.cpio": pathlib.Path(disks.cpio(lab.directory / "nothing.cpio",
                                                      disks.tree(lab.directory / "nothing", {"/hello": "no init"}))),
             "/loader/entries/first+3.conf": "title First\nsort-key a\nlinux /vmlinuz\ninitrd /nothing.cpio\n"
                                             f"options console=ttyS0 panic=-1 first={lab.nonce} no_timer_check\n",
             "/loader/entries/second+2.conf": "title Second\nsort-key b\nlinux /vmlinuz\ninitrd /firmware.cpio\n"
                                              f"options {again}\n"}
    part = disks.vfat(lab.directory / "esp.img", disks.tree(lab.directory / "esp", files), label="ESP")
    return disks.gpt(lab.directory / "disk.img", [(part, disks.ESP, "esp")])


def names_on(image):
    """The entries as they are called on the disk."""
    said = disks.run("mdir", "-b", "-i", f"{image}@@1M", "::/loader/entries")
    return sorted(line.rsplit("/", 1)[-1] for line in said.split())


def test_counting(lab):
    """an entry that panics three times is left for the next one, which is blessed by its system"""
    image = esp(lab)
    # Of a line that the kernel writes before its serial driver is there, the rest may lose characters.
    first = f"Command line: console=ttyS0 panic=-1 first={lab.nonce[:4]}"
    with lab.machine(disks=[(image, "nvme")], memory=1536, append="stillboot.timeout=1", limit=900,
                     reboots=True) as machine:
        for number in (1, 2, 3):
            machine.console.expect(first, timeout=120, what=f"start {number} of First")
            machine.console.expect(r"Kernel panic - not syncing", timeout=60, what=f"panic {number} of First")
        machine.console.expect(r"jumping after", timeout=120, what="the hand-over to the next entry")
        machine.restarted()  # what prompts there are on the second line are of the starts before
        machine.console.expect(r"First", timeout=120, what="the next system, with the entries in its menu")
        said = machine.sh("cat /proc/cmdline", timeout=120)
        lab.check("after three panics the next entry is booted", f"nonce={lab.nonce}" in said, said)
        lab.check("its system is told which entry it is", WORD.search(said), said)
        lab.equal("the first one was booted three times, no more",
                  machine.console.text.count(first), 3)
        machine.wait_sh("stillboot list | grep -q First")
        listed = machine.sh("stillboot list; stillboot list --json=short")
        lab.check("the list says why it is last", re.search(r"(?s)Second.*First.*no try is left.*"
                                                            r'"tries":\{"left":0,"done":3\}', listed), listed)
        would = machine.sh("stillboot bless --dry-run")
        lab.check("a dry run says what it would do", "would be mounted for a moment" in would, would)
        lab.equal("and does not do it", names_on(image), ["first+0-3.conf", "second+1-1.conf"])
        said = machine.sh("stillboot bless; stillboot bless")
        lab.check("the system is good, which is said once", re.search(r"second\+1-1\.conf is good(?s:.*)nothing to do",
                                                                      said), said)
        lab.equal("the entry has no counters any more", names_on(image), ["first+0-3.conf", "second.conf"])
        machine.sh("stillboot bless --bad")
        lab.equal("a system that is no good has no try left", names_on(image), ["first+0-3.conf", "second+0.conf"])


def takes_no_write(lab):
    """The QEMU arguments of a disk that is read like any other, and answers a write after hours: its entry counts."""
    files = lab.boot_files() | {"/loader/entries/counted+3.conf": entries.bls("Counted")[1]}
    image = disks.ext4(lab.directory / "counted.img", disks.tree(lab.directory / "counted", files), label="counted")
    return ["-drive", f"if=none,id=counted,format=raw,file={image},throttling.bps-write=1,throttling.bps-write-max=1024",
            "-device", "virtio-blk-pci,drive=counted,serial=counted"]


def test_counting_on_a_disk_that_hangs(lab):
    """an entry whose try cannot be taken since its disk hangs is given up, and that disk kept at the next boot"""
    files = {**lab.boot_files(), **dict([entries.bls("Other", options=f"nonce={lab.nonce}")])}
    other = disks.ext4(lab.directory / "other.img", disks.tree(lab.directory / "other", files), label="other")
    with lab.machine(disks=[(other, "nvme")], arguments=takes_no_write(lab),
                     append="stillboot.timeout=never stillboot.trial=never") as machine:
        entries.wait_for_options(machine, 2)
        node = "/dev/" + machine.sh("grep -lx counted /sys/block/*/serial").split("/")[3]
        failed, said = machine.sh("stillboot boot --wait Counted 2>&1", timeout=60, check=False)
        lab.check("the boot fails, and its reason names the disk", failed and f"{node} does not answer" in said, said)
        planned = machine.sh("stillboot boot --dry-run Other")
        lab.check("the plan of the next keeps that disk", f"hangs on it" in planned and node in planned, planned)
        machine.sh("(stillboot boot Other >/dev/null 2>&1 &)")
        said = machine.wait_marker()
        lab.equal("the other one boots, by kexec", said["bootloader_type"], "208")
        lab.check("it is the entry's command line", f"nonce={lab.nonce}" in said["cmdline"], said["cmdline"])
        machine.wait_off()
