# SPDX-License-Identifier: Apache-2.0
"""What somebody chooses for once and for good, kept in the state store over starts of one machine."""
import contextlib
import json

import still
from test_strict import HeldKeys


def booted(lab, images, append="stillboot.timeout=5", keys=False):
    """A start with nobody there, or somebody who holds keys down; answers with the command line that it boots."""
    with lab.machine(disks=images, append=append) as machine:
        with HeldKeys(machine) if keys else contextlib.nullcontext():
            said = machine.wait_marker(timeout=150)
        lab.equal("it boots by itself, by kexec", said["bootloader_type"], "208")
        machine.wait_off()
    return said["cmdline"]


def test_a_one_shot_boots_once_and_then_the_saved_default(lab):
    """what is chosen for once boots at the next start alone, and after it the saved default"""
    images = still.two_disks(lab)
    with lab.machine(disks=images, append=still.UNHURRIED) as machine:
        still.wait_for_entry(machine)
        machine.wait_sh(still.LOOKED)
        machine.sh("stillboot set-default 'the wanted one'")
        machine.sh("stillboot set-oneshot 'another entry'")
        status = machine.sh("stillboot status")
        lab.check("the status says what was chosen, and what it beats", "another entry is what was chosen for once" in status
                  and "instead of: the wanted one, the saved default" in status
                  and "instead of: another entry" not in status, status)
        status, said = machine.sh("stillboot set-default 'no such entry'", check=False)
        lab.check("what is not there cannot be chosen", status == 3 and "there is no no such entry" in said, said)
        machine.sh("(stillboot poweroff >/dev/null 2>&1 &)")
        machine.wait_off()
    line = booted(lab, images)
    lab.check("the next start boots what was chosen for once", "other=yes" in line, line)
    line = booted(lab, images)
    lab.check("the one after that the saved default", f"nonce={lab.nonce}" in line, line)


def test_settings_are_kept_and_the_command_line_beats_them(lab):
    """settings in the state store count at the next start, below the kernel command line and above the files"""
    images = still.two_disks(lab)
    with lab.machine(disks=images, append=still.UNHURRIED) as machine:
        still.wait_for_entry(machine)
        machine.wait_sh(still.LOOKED)
        machine.sh("stillboot settings boot 'title=another?entry'; stillboot settings strict true")
        said = machine.sh("stillboot settings timeout 3")
        lab.check("a stored value that the command line beats is said to be so", "timeout = 600  (kernel command line)" in said
                  and "the state store has 3" in said, said)
        system = json.loads(machine.sh("stillboot --json=short system"))["system"]
        lab.check("the machine is described: by its firmware's tables, and by the kernel",
                  "QEMU" in system["model"] and system["processors"] == 2 and system["memory_bytes"] > 2**28
                  and system["state_store"].startswith("/dev/") and system["kernel"], str(system))
        status, said = machine.sh("stillboot settings timeout soon", check=False)
        lab.check("what is no timeout is refused in words", status == 4 and "must be a number of seconds" in said, said)
        machine.sh("(stillboot poweroff >/dev/null 2>&1 &)")
        machine.wait_off()
    line = booted(lab, images, append="", keys=True)
    lab.check("the next start boots by the rule in the store, strictly: no key stops it, not even before the store is read",
              "other=yes" in line, line)
    line = booted(lab, images, append="stillboot.boot=title=the?wanted?one")
    lab.check("a rule on the command line comes before it", f"nonce={lab.nonce}" in line, line)
