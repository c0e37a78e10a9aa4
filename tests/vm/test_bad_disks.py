# SPDX-License-Identifier: Apache-2.0
"""Disks that hold nonsense, and scans that are killed: each named, and the good disk beside them still boots."""
import json
import random
import shutil

import disks
import entries

PANICS = "mount -t ext4 -o ro,noload /dev/vda /mnt && ls /mnt/loader/entries"


def noise(image, start, count):
    with open(image, "r+b") as file:
        file.seek(start)
        file.write(random.Random(count).randbytes(count))


def made_to_panic(image, tree):
    """An ext4 that asks for a panic at its first error, which opening /loader/entries meets after the mount."""
    disks.ext4(image, tree, label="panics")
    disks.run("tune2fs", "-e", "panic", image)
    disks.run("debugfs", "-w", "-R", "set_inode_field /loader/entries block[0] 999999999", image)  # the extents' header
    return image


def bad_disks(lab):
    """name -> image; all but noise hold one entry."""
    def tree(title):
        path, entry = entries.bls(title)
        return disks.tree(lab.directory / title, {path: entry, "/boot/vmlinuz": "k", "/boot/initrd.img": "i"})
    made = {"panics": made_to_panic(lab.directory / "panics.img", tree("Panics")),
            "broken": disks.ext4(lab.directory / "broken.img", tree("Broken"), label="broken"),
            "noise": disks.empty(lab.directory / "noise.img", 16),
            "killed": disks.ext4(lab.directory / "killed.img", tree("Killed"), label="killed")}
    noise(made["broken"], 2048, 64 * 1024)  # the group descriptors, behind a good superblock
    noise(made["noise"], 0, 1 << 20)
    return made


def show_the_panic(lab, image):
    """The control: a copy of this disk stops a machine that mounts it as its superblock says."""
    copy = shutil.copyfile(image, lab.directory / "control.img")
    with lab.machine(disks=[(copy, "virtio-blk")], append="stillboot.timeout=never") as machine:
        machine.settle()
        machine.sh(f"(sleep 0.2; {PANICS}) >/dev/null 2>&1 &")
        machine.console.expect("panic forced after error", timeout=30, what="the panic that this disk asks for")
        lab.check("a plain mount of the disk with errors=panic stops a machine", True)


def kill_a_scan(lab, machine):
    """A probe that is killed from outside: its device alone is failed and named, and comes back when asked."""
    node = machine.sh("readlink -f /dev/disk/by-label/killed").strip()
    crashed = f"stillboot-probe crashed on {node} (SIGKILL); nothing else is affected"
    # One that had told its result already is missed by nobody.
    status, said = machine.sh(f"for i in $(seq 20); do stillboot rescan {node} >/dev/null; for j in $(seq 100); do "
                              "kill -KILL $(pidof stillboot-probe) 2>/dev/null && sleep 1 && stillboot devices | "
                              f"grep -F '{crashed}' && exit 0; done; done; exit 1", timeout=120, check=False)
    lab.check("a probe is killed while it scans, and its device named with the signal", status == 0, said)
    lab.equal("only its entry is gone", listed(machine), ["Whole"])
    machine.sh(f"stillboot rescan {node}")
    entries.wait_for_options(machine, 2)
    lab.equal("the next scan brings it back", listed(machine), ["Killed", "Whole"])


def listed(machine):
    return sorted(option["title"] for option in json.loads(machine.sh("stillboot list --json=short"))["options"])


def says_what_is_wrong(lab, machine):
    """Each bad disk is listed with its reason, in plain words with the file and line or the device."""
    machine.wait_sh("said=$(stillboot devices --json=short) && ! echo \"$said\" | grep -E '\"(queued|scanning)\"'")
    devices = json.loads(machine.sh("stillboot devices --json=short"))["devices"]
    shown = machine.sh("stillboot devices")
    by_label = {device["label"]: device for device in devices}
    lab.check("the grub.cfg of random bytes is named with file and line",
              any(each["file"] == "/boot/grub/grub.cfg" and each["line"] > 0
                  for each in by_label["good"]["diagnostics"]), str(by_label["good"])[:600])
    lab.equal("the damaged file system is failed", by_label.get("broken", {}).get("state"), "failed")
    lab.check("with the kernel's reason", "the ext4 file system cannot be mounted" in shown, shown)
    kernel = machine.sh("dmesg | grep 'EXT4-fs error' || true")
    lab.check("the disk with errors=panic had its error, and the machine runs on", "(device loop" in kernel, kernel)
    panics = by_label.get("panics", {})
    lab.check("it says that its directory cannot be read",
              any(each["file"].startswith("/loader/entries") for each in panics.get("diagnostics", [])),
              str(panics)[:600])
    empty = [device["reason"] and device["reason"]["code"] for device in devices
             if device["state"] == "empty" and not device["label"]]
    lab.check("noise holds nothing that is known", "probe.empty" in empty, str(devices)[:2000])


def test_bad_disks_cost_only_themselves(lab):
    """a grub.cfg of noise, a damaged ext4, one with errors=panic, noise, and a killed scan cost only themselves"""
    path, entry = entries.bls("Whole", options=f"nonce={lab.nonce}")
    files = {**lab.boot_files(), path: entry, "/boot/grub/grub.cfg": random.Random(1).randbytes(20_000)}
    good = disks.ext4(lab.directory / "good.img", disks.tree(lab.directory / "good", files), label="good")
    bad = bad_disks(lab)
    before = {image: disks.digest(image) for image in bad.values()}
    show_the_panic(lab, bad["panics"])
    with lab.machine(disks=[(good, "nvme"), (bad["panics"], "ahci"), (bad["broken"], "virtio-blk"),
                            (bad["noise"], "virtio-blk"), (bad["killed"], "scsi")],
                     append="stillboot.timeout=never") as machine:
        machine.sh("true", timeout=90)
        entries.wait_for_options(machine, 2)
        lab.equal("only the good entries are listed", listed(machine), ["Killed", "Whole"])
        says_what_is_wrong(lab, machine)
        kill_a_scan(lab, machine)
        machine.sh("(stillboot boot Whole --wait >/dev/null 2>&1 &)")
        said = machine.wait_marker()
        lab.equal("the good one still boots, by kexec", said["bootloader_type"], "208")
        lab.check("it is the entry's command line", f"nonce={lab.nonce}" in said["cmdline"], said["cmdline"])
        machine.wait_off()
    lab.equal("no disk has changed", [path.name for path, old in before.items() if disks.digest(path) != old], [])
