# SPDX-License-Identifier: Apache-2.0
"""The load refused: before any device is touched, or after all of them were unbound, with everything put back."""
import contextlib
import pathlib
import re
import struct

import disks
import entries
import still

NETWORK = ["-netdev", "user,id=n0,restrict=on", "-device", "e1000e,netdev=n0,romfile=",
           "-netdev", "user,id=n1,restrict=on", "-device", "virtio-net-pci,netdev=n1,romfile="]
LABELS = ["root", "ahci", "usb", "virtio", "scsi"]


def target_disks(lab, files):
    """A disk with the target on nvme, and one of each other kind."""
    images = [(disks.ext4(lab.directory / "root.img", disks.tree(lab.directory / "tree", files), label="root"), "nvme")]
    for kind, label in (("ahci", "ahci"), ("usb", "usb"), ("virtio-blk", "virtio"), ("scsi", "scsi")):
        tree = disks.tree(lab.directory / label, {"hello": label})
        images.append((disks.ext4(lab.directory / f"{label}.img", tree, label=label), kind))
    return images


def image_digests(lab):
    """What each disk holds, read from outside; no machine writes to them."""
    return {label: disks.digest(lab.directory / f"{label}.img") for label in LABELS}


def interfaces(machine):
    return machine.sh("ls /sys/class/net | grep -v '^lo$'").split()


def everything_is_back(lab, machine, bound_before):
    """The checks that follow an undo."""
    lab.equal("every device is bound to its driver again", machine.sh(entries.BOUND), bound_before)
    lab.equal("every disk reads as from outside", entries.disk_digests(machine, LABELS), image_digests(lab))
    for interface in interfaces(machine):
        lab.check(f"{interface} answers", entries.network_answers(machine, interface))
    lab.equal("udev works", machine.sh(entries.UDEV_RUNS, check=False)[1].strip(), "yes")
    buses = machine.sh("cat /sys/bus/*/drivers_autoprobe | sort -u").split()
    lab.equal("every bus binds by itself again", buses, ["1"])
    lab.equal("nothing is loaded", machine.sh("cat /sys/kernel/kexec_loaded 2>/dev/null || "
                                              "cat /sys/kernel/kexec/loaded").strip(), "0")
    lab.equal("no record is left", machine.sh("ls /run/stillboot").split().count("handover.json"), 0)


def entry_names(lab):
    """How the entries are called on the target's disk."""
    said = disks.run("debugfs", "-R", "ls -p /loader/entries", lab.directory / "root.img")
    return sorted(re.findall(r"/([^/]+\.conf)/", said))


def unbind_lines(machine):
    return machine.sh("dmesg | grep -c 'stillboot: unbind ' || true").strip()


@contextlib.contextmanager
def machine_with_target(lab):
    """A machine with disks of all kinds whose entry, which counts its tries, was found; gives it and what is bound in
    it."""
    path, entry = entries.bls("Marker", options=f"nonce={lab.nonce}")
    images = target_disks(lab, {**lab.boot_files(), path.replace(".conf", "+3.conf"): entry})
    with lab.machine(disks=images, arguments=NETWORK, append="stillboot.timeout=never") as machine:
        machine.sh("true", timeout=90)
        machine.wait_sh("stillboot list | grep -q Marker")
        entries.wait_for_disks(machine, LABELS)
        for interface in interfaces(machine):
            lab.check(f"{interface} answers before", entries.network_answers(machine, interface))
        yield machine, machine.sh(entries.BOUND)


def end_by_key(lab, machine, key, question, wanted):
    """A key of the menu that ends the machine: it asks, another key than y changes nothing, and y does it."""
    machine.console.send(key)
    machine.console.wait_screen(re.escape(question))
    machine.console.send("n")
    machine.console.wait_screen(r"The last boot did not happen: (.*\n){5,}.* Edit ")
    machine.console.send(key)
    machine.console.wait_screen(re.escape(question))
    machine.console.send("y")
    lab.equal(f"{question} y does it, seen by QEMU", machine.wait_end(), [wanted])


def test_load_disabled_after_the_first_unbind(lab):
    """a load that is switched off after the first unbind is refused, and everything comes back"""
    with machine_with_target(lab) as (machine, bound):
        machine.sh("(cat /dev/kmsg | while read -r line; do case $line in *'stillboot: unbind '*) "
                   "echo 1 >/proc/sys/kernel/kexec_load_disabled; break;; esac; done) >/dev/null 2>&1 &")
        status, said = machine.sh("stillboot boot Marker --wait", timeout=180, check=False)
        lab.say(said)
        lab.check("the command fails", status != 0, said)
        reason = "kernel.kexec_load_disabled is 1"
        lab.check("it says why", reason in said, said)
        lab.check("the devices were unbound before that", int(unbind_lines(machine)) > 3)
        everything_is_back(lab, machine, bound)
        state = machine.sh("stillboot status")
        lab.check("the state shows the reason", reason in state, state)
        lab.check("the entry is there again", "Marker" in machine.sh("stillboot list"))
        machine.console.wait_screen(r"The last boot did not happen: (.*\n)*?.*kexec_load_disabled")
        lab.check("the menu is back and shows it too", True)
        lab.check("the try had been counted", "/loader/entries/marker+3.conf on" in machine.sh("dmesg"))
        end_by_key(lab, machine, "t", "Restart this machine?", "guest-reset")
    lab.equal("the try is given back", entry_names(lab), ["marker+3.conf"])


def test_killed_in_the_middle(lab):
    """a daemon killed in the middle of a hand-over and started again puts everything back, and can boot"""
    with machine_with_target(lab) as (machine, bound):
        before = machine.sh(f"echo {still.DAEMON}").strip()
        # By the second unbind's own line, which is written before the act.
        machine.sh("(cat /dev/kmsg | while read -r line; do case $line in *'stillboot: unbind '*) "
                   f"n=$((n + 1)); [ $n -lt 2 ] || {{ kill -9 {before}; break; }};; esac; done) >/dev/null 2>&1 &")
        status, said = machine.sh("stillboot boot Marker --wait", timeout=180, check=False)
        lab.check("the command fails", status != 0, said)
        machine.wait_sh(f"[ ! -e /proc/{before} ] && pidof stillbootd && [ ! -e /run/stillboot/handover.json ]",
                        120)
        machine.wait_sh("stillboot list | grep -q Marker")
        entries.wait_for_disks(machine, LABELS)
        lab.check("something had been unbound", int(unbind_lines(machine)) > 0)
        everything_is_back(lab, machine, bound)
        state = machine.sh("stillboot status")
        lab.check("the state says what happened", "was cut off" in state, state)
        log = machine.sh("stillboot log")
        lab.check("and said so while it was undone", "putting back what a hand-over that was cut off" in log, log)
        machine.sh("(stillboot boot Marker --wait >/dev/null 2>&1 &)")
        said = machine.wait_marker()
        lab.equal("after that it boots", said["bootloader_type"], "208")
        machine.wait_off()
    lab.equal("the try that was cut off was given back, the one that booted was not", entry_names(lab),
              ["marker+2-1.conf"])


def test_load_limit_with_trial(lab):
    """a limit of two loads is used up by a trial that is asked for, and everything comes back"""
    kernel, initrd = lab.firmware(suite="trixie")
    path, entry = entries.bls("Marker", options=f"nonce={lab.nonce}")
    images = target_disks(lab, {**lab.boot_files(), "/boot/vmlinuz": pathlib.Path(kernel), path: entry})
    with lab.machine(disks=images, arguments=NETWORK, kernel=kernel, initrd=initrd,
                     append="stillboot.timeout=never stillboot.trial=always") as machine:
        machine.sh("true", timeout=90)
        machine.wait_sh("stillboot list | grep -q Marker")
        entries.wait_for_disks(machine, LABELS)
        machine.sh("echo 2 >/proc/sys/kernel/kexec_load_limit_reboot")
        bound = machine.sh(entries.BOUND)
        status, said = machine.sh("stillboot boot Marker --wait", timeout=180, check=False)
        lab.check("the command fails", status != 0, said)
        lab.check("it says why", "kernel.kexec_load_limit_reboot is 0" in said, said)
        lab.check("the devices were unbound before that", int(unbind_lines(machine)) > 3)
        everything_is_back(lab, machine, bound)


def test_load_limit_without_trial(lab):
    """a limit of two loads leaves the trial out by itself, and the machine boots"""
    kernel, initrd = lab.firmware(suite="trixie")
    path, entry = entries.bls("Marker", options=f"nonce={lab.nonce}")
    images = target_disks(lab, {**lab.boot_files(), "/boot/vmlinuz": pathlib.Path(kernel), path: entry})
    with lab.machine(disks=images, arguments=NETWORK, kernel=kernel, initrd=initrd,
                     append="stillboot.timeout=never") as machine:
        machine.sh("true", timeout=90)
        machine.wait_sh("stillboot list | grep -q Marker")
        machine.sh("echo 2 >/proc/sys/kernel/kexec_load_limit_reboot")
        machine.sh("(stillboot boot Marker --wait >/dev/null 2>&1 &)")
        said = machine.wait_marker()
        lab.equal("kexec started it", said["bootloader_type"], "208")
        lab.check("it is the entry's command line", f"nonce={lab.nonce}" in said["cmdline"], said["cmdline"])
        machine.wait_off()


def without_signature(kernel):
    """A kernel file less its certificate table, as if it had never been signed."""
    data = bytearray(pathlib.Path(kernel).read_bytes())
    (pe,) = struct.unpack_from("<I", data, 0x3C)
    entry = pe + 24 + 112 + 4 * 8
    offset, size = struct.unpack_from("<II", data, entry)
    struct.pack_into("<II", data, entry, 0, 0)
    return bytes(data[:offset] if size else data)


def test_lockdown_refuses_at_the_trial(lab):
    """a locked-down kernel refuses an unsigned one at the trial, and no device is touched"""
    path, entry = entries.bls("Marker", options=f"nonce={lab.nonce}")
    kernel = without_signature(lab.firmware()[0])
    images = target_disks(lab, {**lab.boot_files(), "/boot/vmlinuz": kernel, path: entry})
    with lab.machine(disks=images, arguments=NETWORK,
                     append="stillboot.timeout=never lockdown=integrity") as machine:
        machine.sh("true", timeout=90)
        machine.wait_sh("stillboot list | grep -q Marker")
        entries.wait_for_disks(machine, LABELS)
        bound = machine.sh(entries.BOUND)
        status, said = machine.sh("stillboot boot Marker --wait", timeout=120, check=False)
        lab.check("the command fails", status != 0, said)
        lab.check("it says why", "locked down (integrity)" in said and "EPERM" in said, said)
        lab.equal("no device was unbound", unbind_lines(machine), "0")
        lab.equal("every device is bound as before", machine.sh(entries.BOUND), bound)
        lab.equal("every disk reads as from outside", entries.disk_digests(machine, LABELS), image_digests(lab))
        end_by_key(lab, machine, "p", "Switch this machine off?", "guest-shutdown")
