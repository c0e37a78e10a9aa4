# SPDX-License-Identifier: Apache-2.0
"""Power cut at each step of a hand-over, and a store torn by it: the next start knows what happened."""
import json
import re

import disks
from still import RULES, copies, setup_of, start_daemon_with, two_disks, wait_for_entry

FIRST, LAST = "still-slow", "dark-last"
SLOW = "/sys/devices/platform/slow"
LAST_RULE = {"/etc/stillboot/quiesce.d/last.toml": """[[rule]]
name = "module-last"
driver = "dark-last"
action = "last"
why = "it has the displays' stage"
"""}
IN_FIRST_STAGE = 1
COMMAND_LINE = "stillboot.timeout=never stillboot.trial=never"
NO_STORE = {"/etc/stillboot/stillboot.toml": 'state_store = "none"\n'}  # until the test names one
BOOT = "dmesg -n 7; (stillboot boot 'the wanted one' >/dev/null 2>&1 &)"
LET_GO = r'the last hand-over, to "the wanted one" at \S+ \S+ UTC, had let go of every device: whether its system came up'
DIED = 'the hand-over to "the wanted one" ended at the step {step}, with the machine'
SUSPECT = r"the machine went down while (\S+) \(\S+\) was let go of"

# Where the power goes: what the console says then, the step that the next start names, the driver it suspects.
# From the store's own devices on nothing can be written down any more: the start after that says so and accuses nobody.
CUTS = [
    ("once the record is written", r"stillboot: stop our helpers and let go of every disk", "(commit|take-down)", None),
    ("in the first stage", r"still_test: begin slow", "unbind", FIRST),
    ("in the displays' stage", r"still_test: begin last", "unbind", LAST),
    ("with every device unbound", r"stillboot: check that no device moves", None, None),
    ("during the load", r"stillboot: load the kernel for good", None, None),
    ("before the jump", r"stillboot: jumping after", None, None),
]


def disks_at_cuts(lab, images, initrd):
    """One hand-over that goes all the way; answers with the store's disk as a power cut at each place would leave it."""
    left = []
    with lab.machine(disks=images, kernel=lab.firmware()[0], initrd=initrd, append=COMMAND_LINE) as machine:
        wait_for_entry(machine)
        machine.sh(BOOT)
        for number, (where, pattern, _, _) in enumerate(CUTS):
            machine.console.expect(pattern, timeout=90, what=where)
            machine.monitor("stop")
            left.append(lab.directory / f"cut{number}.img")
            disks.run("cp", "--sparse=always", images[1][0], left[-1])
            machine.monitor("cont")
        machine.wait_marker()
        machine.wait_off()
    return left


def node(number):
    """Of the machine's store of this number."""
    return f"/dev/vd{chr(ord('a') + number)}"


def says_what_happened(lab, machine, where, step, driver):
    status = machine.sh("stillboot status")
    died = re.search(DIED.format(step=step or r"\S+"), status)
    let_go = re.search(LET_GO, status)
    lab.check(f"{where}: it says that " + (f"it ended at the step {step}" if step else "every device had gone"),
              (bool(died), bool(let_go)) == (bool(step), not step), status)
    suspects = re.findall(SUSPECT, status)
    if driver == FIRST:  # the first batch: all that nothing holds up
        lab.check(f"{where}: it suspects what was under way, {driver} among it", driver in suspects and LAST not in suspects,
                  status)
    else:
        lab.equal(f"{where}: it suspects", suspects, [driver] if driver else [])
    lab.check(f"{where}: nothing boots by itself", "another boot" not in status and "restarted to boot" not in status, status)


def tear(image, number, keep):
    """A copy as a power cut leaves it: its first bytes are there, and what was to follow is not."""
    path = image.with_name(f"stillboot.{number}")
    data = path.read_bytes()
    path.write_bytes(data[:keep] + bytes(len(data) - keep))
    disks.run("mcopy", "-n", "-o", "-i", image, path, f"::/{path.name}")


def names_slow(copy):
    return SLOW in json.loads(copy[1])["attempt"]["devices"]["in_flight"]


def torn_copies(lab, cut):
    """Of the store's disk as a cut in the first stage leaves it: one with its newer copy torn, one with both, and what
    was whole before."""
    before = copies(cut)
    lab.check("the disk holds two whole copies", all(before), before)
    young = 0 if before[0][0] > before[1][0] else 1
    lab.check("the newer one names the driver that was let go of, the older one does not",
              names_slow(before[young]) and not names_slow(before[1 - young]) and
              before[young][0] == before[1 - young][0] + 1, before)
    torn = [lab.directory / f"torn{number}.img" for number in (0, 1)]
    for image in torn:
        disks.run("cp", "--sparse=always", cut, image)
    tear(torn[0], young, 200)
    for number in (0, 1):
        tear(torn[1], number, 20)
    lab.equal("they are torn", (copies(torn[0])[young], copies(torn[1])), (None, [None, None]))
    return torn, before, young


def says_what_is_torn(lab, machine, young):
    """In the machine's last two stores."""
    start_daemon_with(machine, node(len(CUTS)))
    status = machine.sh("stillboot status; stillboot log")
    lab.check("the next start names the torn copy",
              f"the state store's file stillboot.{young} is damaged: the other copy is used" in status, status)
    lab.check("and tells what the other one knows", 'the hand-over to "the wanted one" ended at the step' in status, status)
    lab.check("but not what the torn one did", "was let go of" not in status, status)
    start_daemon_with(machine, node(len(CUTS) + 1))
    status = machine.sh("stillboot status")
    lab.check("with both torn it says so", "both copies in the state store are damaged: what was remembered is lost"
              in status, status)
    lab.check("and nothing is made up", "ended at the step" not in status, status)


def test_power_cut_at_each_step(lab):
    """the power goes at each step from the commit to the jump, and tears the store: the next start says what happened"""
    setup = setup_of(("slow", FIRST, "plain", 3000), ("last", LAST, "plain", 3000))
    images = two_disks(lab)
    cuts = disks_at_cuts(lab, images, lab.module_initrd(setup, files=RULES | LAST_RULE))
    torn, before, young = torn_copies(lab, cuts[IN_FIRST_STAGE])
    with lab.machine(disks=[images[0]] + [(image, "virtio-blk") for image in cuts + torn], kernel=lab.firmware()[0],
                     initrd=lab.module_initrd(setup, files=RULES | LAST_RULE | NO_STORE), append=COMMAND_LINE,
                     limit=300) as machine:
        wait_for_entry(machine)
        for number, (where, _, step, driver) in enumerate(CUTS):
            start_daemon_with(machine, node(number))
            says_what_happened(lab, machine, where, step, driver)
            learned = machine.sh("stillboot quiesce learned")
            lab.equal(f"{where}: what is learnt", learned.count(f"while {driver} "), 1 if driver else 0)
        says_what_is_torn(lab, machine, young)
        machine.sh(BOOT)
        said = machine.wait_marker()
        lab.equal("after all of that it boots", said["bootloader_type"], "208")
        lab.check("the entry", f"nonce={lab.nonce}" in said["cmdline"], said["cmdline"])
        machine.wait_off()
    after = copies(torn[0])
    lab.check("the next write went over the torn copy", after[young] and after[1 - young] == before[1 - young] and
              after[young][0] == before[1 - young][0] + 1, after)
    lab.check("where both were torn, what is written then is whole", any(copies(torn[1])), copies(torn[1]))
