# SPDX-License-Identifier: Apache-2.0
"""A remove that does not return: the machine restarts past it, and the same entry boots with that driver left alone."""
import re

from bmc import CHASSIS_CONTROL, POWER_CYCLE, Bmc
from still import RULES, setup_of, start_daemon_with, two_disks, wait_for_entry

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


def ends_in_the_menu_without_a_store(lab, machine):
    """The device dies again: no other boot is tried past it, and a restart gets by."""
    start_daemon_with(machine, "none")
    status = machine.sh("stillboot status")
    lab.check("that there is no store is said", "no state store" in status, status)
    status, said = machine.sh("stillboot boot 'the wanted one' --wait", timeout=120, check=False)
    lab.check("the boot fails, and who died is named", status != 0 and f"({CRASHING})" in said, said)
    machine.wait_sh("stillboot list | grep -q 'another entry'")
    status, said = machine.sh("stillboot boot 'another entry' --wait", timeout=120, check=False)
    lab.check("another boot is refused", status != 0 and "still holds /sys/devices/platform/dying" in said, said)
    status, said = machine.sh("stillboot poweroff", check=False)
    lab.check("a power-off, which would wait for ever, too", status != 0 and "a restart gets past it" in said, said)
    resets = len(machine.monitor.events_so_far("RESET"))
    machine.sh("(stillboot reboot >/dev/null 2>&1 &)")
    # One restart may show as two resets within a tenth of a second.
    reasons = {event["reason"] for event in machine.monitor.wait_event("RESET", after=resets)}
    lab.equal("a restart restarts all the same, seen by QEMU", reasons, {"guest-reset"})


def test_a_driver_that_dies_is_left_alone_and_forgotten_on_request(lab):
    """a remove that oopses ends in a power cycle by the management controller, without a state store in the menu; what was learnt is forgotten on request"""
    setup = setup_of(("dying", CRASHING, "oops"))
    with Bmc() as bmc, lab.machine(disks=two_disks(lab), kernel=lab.firmware()[0],
                                   initrd=lab.module_initrd(setup, files=RULES), reboots=True, limit=300,
                                   arguments=bmc.arguments,
                                   append="stillboot.timeout=600 stillboot.on_hang=power-cycle") as machine:
        wait_for_entry(machine)
        machine.wait_sh("[ -e /dev/ipmi0 ]")
        machine.sh("stillboot boot 'the wanted one'", timeout=60)
        machine.console.expect(r"restarting the machine", timeout=90)
        hung = len(machine.console.text)
        machine.restarted()
        machine.sh("true", timeout=120)
        asked = [request for request in bmc.requests if request[:2] == CHASSIS_CONTROL]
        lab.equal("the management controller was asked for a power cycle once", asked,
                  [(*CHASSIS_CONTROL, bytes([POWER_CYCLE]))])
        lab.check("and nothing else restarted the machine", "sysrq" not in machine.console.text[hung:],
                  machine.console.text[hung:][:2000])
        # For as long as the usual countdown what is tried again can be stopped.
        machine.wait_sh("stillboot status | grep -q 'restarted to boot'", seconds=90)
        status = machine.sh("stillboot cancel; stillboot status")
        lab.check("the state says what happened, and what is left alone",
                  "attempt 2 of 4" in status and f"{CRASHING} (platform) is left alone: it died in its unbind" in status,
                  status)
        learned = machine.sh("stillboot quiesce learned")
        lab.check("it is listed", CRASHING in learned, learned)
        machine.sh(f"stillboot quiesce learned --forget {CRASHING}")
        lab.check("and forgotten", CRASHING not in machine.sh("stillboot quiesce learned"))
        ends_in_the_menu_without_a_store(lab, machine)
