# SPDX-License-Identifier: Apache-2.0
"""A remove that does not return: the machine restarts past it, and the same entry boots with that driver left alone."""
import re

from still import RULES, setup_of, two_disks, wait_for_entry

HANGING, CRASHING, GOOD = "still-hangs", "still-dies", "still-good"


def test_a_hang_restarts_the_machine_and_the_same_entry_boots(lab):
    """a remove that hangs ends in a restart, after which the same entry boots by itself without that driver"""
    setup = setup_of(("hanging", HANGING, "hang"), ("good", GOOD, "plain"))
    with lab.machine(disks=two_disks(lab), kernel=lab.firmware()[0], initrd=lab.module_initrd(setup, files=RULES), reboots=True,
                     append="stillboot.timeout=never stillboot.report_on_command_line=true", limit=300) as machine:
        wait_for_entry(machine)
        devices = machine.sh("stillboot devices")
        lab.check("the state store is no boot target", "the state store of this machine" in devices, devices)
        machine.sh("stillboot boot 'the wanted one' --append extra=kept-too", timeout=60)
        machine.console.expect(r"restarting the machine", timeout=90)
        machine.console.expect(r"stillboot: unbind \d+/\d+: ", timeout=120, what="the second hand-over")
        said = machine.wait_marker(timeout=120)
        lab.equal("kexec started the next kernel", said["bootloader_type"], "208")
        lab.check("it is the entry that was chosen", f"nonce={lab.nonce}" in said["cmdline"], said["cmdline"])
        lab.check("with its edits", "extra=kept-too" in said["cmdline"], said["cmdline"])
        report = re.findall(r"stillboot\.report=(\S+)", said["cmdline"])
        lab.check("the next kernel is told which driver was left alone",
                  len(report) == 1 and report[0].endswith(f",left:{HANGING}") and "moving:0" in report[0],
                  said["cmdline"])
        second = machine.console.text.split("restarting the machine")[-1]
        lab.check("the second hand-over lets go of the other devices", f"platform, {GOOD}" in second, second[-3000:])
        lab.check("and not of the one that hung", "unbind 1/1: hanging" not in second
                  and not re.search(r"unbind \d+/\d+: hanging", second), second[-3000:])
        machine.wait_off()


def test_a_driver_that_dies_is_left_alone_and_forgotten_on_request(lab):
    """a remove that oopses is treated like one that hangs; what was learnt is listed, and forgotten on request"""
    setup = setup_of(("dying", CRASHING, "oops"))
    with lab.machine(disks=two_disks(lab), kernel=lab.firmware()[0], initrd=lab.module_initrd(setup, files=RULES), reboots=True,
                     append="stillboot.timeout=never", limit=300) as machine:
        wait_for_entry(machine)
        machine.sh("stillboot boot 'the wanted one'", timeout=60)
        machine.console.expect(r"restarting the machine", timeout=90)
        machine.restarted()
        machine.sh("stillboot cancel", timeout=120, check=False)
        machine.wait_sh("stillboot status | grep -q 'restarted to boot'", seconds=90)
        status = machine.sh("stillboot cancel; stillboot status")
        lab.check("the state says what happened, and what is left alone",
                  "attempt 2 of 4" in status and f"{CRASHING} (platform) is left alone: it died in its unbind" in status,
                  status)
        learned = machine.sh("stillboot quiesce learned")
        lab.check("it is listed", CRASHING in learned, learned)
        machine.sh(f"stillboot quiesce learned --forget {CRASHING}")
        lab.check("and forgotten", CRASHING not in machine.sh("stillboot quiesce learned"))
