# SPDX-License-Identifier: Apache-2.0
"""What boots by itself, by the order of precedence: each row over the next, told in one machine and then booted."""
import json

import disks
import still

# The rows that somebody can say while the machine runs, the last wins: the entry that each wants, how it is said, and who
# `status` then names.
ROWS = [
    ("configured", None, "daemon.by_configuration"),
    ("by-rule", "stillboot settings boot title=by-rule", "daemon.by_rule"),
    ("saved", "stillboot set-default saved", "daemon.by_saved"),
    ("first-rule", "stillboot settings boot_first title=first-rule", "daemon.by_rule"),
    ("for-once", "stillboot set-oneshot for-once", "daemon.by_one_shot"),
]
REPLACED = "configured"  # by a rule: then what the configuration says is none


def target(lab):
    """A disk with an entry for each row, told apart by its command line; the first is the default."""
    entries = "".join(f"menuentry '{name}' {{ linux /boot/vmlinuz console=ttyS0 no_timer_check quiet panic=-1 row={name} nonce={lab.nonce}\n"
                      " initrd /boot/initrd.img }\n" for name, _, _ in ROWS)
    files = lab.boot_files() | {"/boot/grub/grub.cfg": "set default=0\n" + entries}
    return disks.ext4(lab.directory / "target.img", disks.tree(lab.directory / "tree", files), label="target")


def tells_each_row(lab, machine):
    said = []
    for name, how, by in ROWS:
        if how:
            machine.sh(how)
        state = json.loads(machine.sh("stillboot --json=short status"))
        lab.equal(f"{name}: it would boot, and the status says by whom",
                  (state["would_boot"].split("/")[-1], state["by"]["code"]), (name, by))
        beaten = [each["option"].split("/")[-1] for each in state["beaten"]]
        lab.equal(f"{name}: the status says what that beats, in order", beaten,
                  [each for each in reversed(said) if each != REPLACED])
        said.append(name)


def boots(lab, machine, name):
    said = machine.wait_marker(timeout=150)
    lab.equal(f"{name}: kexec started it", said["bootloader_type"], "208")
    lab.check(f"{name}: it is booted by itself", f"row={name} nonce={lab.nonce}" in said["cmdline"], said["cmdline"])
    machine.wait_off()


def test_the_order_of_precedence(lab):
    """each row of the order of precedence is told with what it beats, and boots before the next"""
    images = [(target(lab), "nvme"), (still.store(lab), "virtio-blk")]
    with lab.machine(disks=images, append="stillboot.timeout=600") as machine:
        machine.sh("true", timeout=90)
        machine.wait_sh(f"{still.LOOKED} && stillboot list | grep -q for-once")
        tells_each_row(lab, machine)
        machine.sh("stillboot settings --once timeout 1")
        boots(lab, machine, "for-once")
    with lab.machine(disks=images, append="stillboot.timeout=2") as machine:
        boots(lab, machine, "first-rule")
    with lab.machine(disks=images, append="stillboot.timeout=2 stillboot.boot_first=title=not-there") as machine:
        boots(lab, machine, "saved")
