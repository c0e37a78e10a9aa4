# SPDX-License-Identifier: Apache-2.0
"""An ordinary Debian with our package: what `systemctl kexec` does there, and what `systemctl reboot` does not."""
import os
import pathlib
import re
import subprocess

import demo_machine
import disks
from lab import TOP


def ordinary(lab):
    """A copy of the machine's disk, and the directory with its kernel, initramfs and root's UUID."""
    made = os.environ.get("STILLBOOT_VM_ORDINARY") or subprocess.run(
        [str(TOP / "dev"), "ordinary"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1]
    directory = pathlib.Path(made)
    disk = lab.directory / "disk.img"
    disks.run("cp", "--sparse=always", directory / "disk.img", disk)
    return disk, directory


def boot_id(machine):
    return machine.sh("cat /proc/sys/kernel/random/boot_id").strip()


def wait_for_units(machine):
    """Until each that is to be started has been, or has failed: the login prompt waits for few of them."""
    machine.sh("systemctl is-system-running --wait", timeout=240, check=False)


def load(machine, root, nonce):
    uuid = root.split()[0].removeprefix("root=UUID=")
    word = f"stillboot-bless.entry=UUID={uuid}:/loader/entries/debian.conf"  # as a hand-over writes it
    machine.sh("kexec -l /boot/vmlinuz-* --initrd=$(echo /boot/initrd.img-*) "
               f"--append='{root} console=ttyS0 no_timer_check panic=-1 {word} nonce={nonce}'", timeout=120)


def order(machine, verb):
    """What ends the shell that it is asked from; it has ended before the shell does."""
    machine.sh(f"setsid sh -c 'sleep 1; systemctl {verb}' >/dev/null 2>&1 </dev/null &")


def follow_the_jump(lab, machine):
    """From the order to the next system's login prompt; answers with the devices that were unbound."""
    console = machine.console
    console.expect(r"stillboot: shutdown for kexec", timeout=120, what="the hook")
    began = machine.seconds
    console.expect(r"stillboot: jumping after \d+ ms[\r\n]", timeout=90, what="the hook's jump")
    lab.say(f"stilled in {machine.seconds - began:.1f} s")
    said = console.text
    console.expect(r"Linux version ", timeout=60, what="the next kernel")
    lab.say(f"the next kernel after {machine.seconds - began:.1f} s")
    console.expect(r"login: ", timeout=240, what="the login prompt of the next system")
    machine.restarted()
    return said


def test_systemctl_kexec(lab):
    """systemctl kexec stills an ordinary machine with cold caches, and the next system reports; reboot does nothing"""
    disk, made = ordinary(lab)
    root = f"root=UUID={(made / 'uuid').read_text().strip()} ro"
    with lab.machine(kernel=made / "vmlinuz", initrd=made / "initrd.img", append=root, disks=[(disk, "nvme")],
                     arguments=demo_machine.network_cards(), limit=420, console="console=ttyS0 no_timer_check panic=-1") as machine:
        machine.console.expect(r"login: ", timeout=240, what="the first login prompt")
        wait_for_units(machine)
        lab.equal("the unit of the report is started", machine.sh("systemctl is-active stillboot-report.service",
                                                                  timeout=60, check=False)[1].strip(), "active")
        before = boot_id(machine)
        lab.equal("a system that is not counted blesses nothing",
                  machine.sh("systemctl is-active stillboot-bless.service", check=False)[1].strip(), "inactive")
        machine.sh("mkdir -p /loader/entries; echo >/loader/entries/debian+2-1.conf")
        load(machine, root, lab.nonce)
        machine.sh("sync; echo 3 >/proc/sys/vm/drop_caches")
        order(machine, "kexec")
        said = follow_the_jump(lab, machine)

        unbound = set(re.findall(r"stillboot: unbind \d+/\d+: (\S+) \(\S+, (\S+)\)", said))
        drivers = {driver for _, driver in unbound}
        for driver in ("nvme", "e1000e", "xhci_hcd", "virtio_net", "virtio_scsi"):
            lab.check(f"{driver} was unbound", any(driver.replace("-", "_") in name.replace("-", "_")
                                                   for name in drivers), f"        {sorted(unbound)}")
        counts = re.search(r"devices at rest: (\d+) still, (\d+) kept, (\d+) contained, (\d+) moving", said)
        lab.equal("nothing moved at the jump", counts and counts[4], "0")
        lab.check("systemd did not come to its own kexec", "Rebooting with kexec" not in said)

        lab.equal("kexec started the next system", machine.sh("cat /proc/sys/kernel/bootloader_type").strip(), "208")
        lab.check("with the command line that was given for it",
                  f"nonce={lab.nonce}" in machine.sh("cat /proc/cmdline").split())
        lab.check("it is another boot", boot_id(machine) != before)
        lab.check("its root was left clean", not re.search("EXT4-fs.*recover", machine.sh("dmesg")))
        wait_for_units(machine)
        report = machine.sh("journalctl --boot --no-pager --output=cat --unit=stillboot-report.service", timeout=60)
        lab.check("the report says from which boot it came",
                  f"kexec started this system, from the one with boot id {before}" in report, report)
        lab.check("and that it tells what was planned", "planned before the jump" in report, report)
        lab.check("which devices were kept, and why", re.search(r"(?m)^kept \S+ \(\S+\): \S", report), report)
        lab.equal("the plan named as many devices as were unbound",
                  re.findall(r"(\d+) devices to unbind", report), [str(len(unbound))])
        lab.equal("the report can be read again", machine.sh("stillboot quiesce report").splitlines()[0] in report,
                  True)

        machine.wait_sh("systemctl is-active stillboot-bless.service")
        lab.equal("the entry of this system is blessed by the unit", machine.sh("ls /loader/entries").split(),
                  ["debian.conf"])

        load(machine, root, "unused")
        seen = len(machine.console.text)
        order(machine, "reboot")
        lab.equal("a restart restarts", machine.wait_end(timeout=120), ["guest-reset"])
        rest = machine.console.text[seen:]
        lab.check("and touches no device, although a kernel is loaded", "stillboot: " not in rest, rest[-2000:])
