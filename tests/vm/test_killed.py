# SPDX-License-Identifier: Apache-2.0
"""The daemon killed at each step of a boot, and started again by the firmware's init."""
import json

import disks
import entries
import lab as surroundings
import still

SETUP = still.setup_of(("slow", "still-slow", "plain", 700), ("other", "still-other", "plain")) + "chmod +x /test/kill_at\n"

TRIALS = 4  # of the cuts below are made with a trial load; then it is left out, for the time that it takes

# Where: what of the hand-over's thread is not let through any more (kill_at.cpp), and what the next daemon says.
# The record goes to /run first and then to the store, for as long as that is there.
CUTS = [
    ("before anything is fetched", "spawn", 1, None),
    ("before the trial load", "load", 1, "trial-load"),
    ("with the kernel of the trial still loaded", "unload", 1, "trial-load"),
    ("before the record is written", '"step":"commit"', 1, None),
    ("with the record in /run alone", '"step":"commit"', 2, "commit"),
    ("with the commit done", '"step":"take-down"', 1, "commit"),
    ("with helpers and mounts taken down", '"step":"unbind"', 1, "take-down"),
    ("while the first devices are let go of", '"step":"unbind"', 5, "unbind"),
    ("with every device unbound", '"step":"check"', 1, "unbind"),
    ("before the load", "load", 1, "load"),
    ("before the jump", "jump", 1, "jump"),
]


def killer(lab):
    """The program that kills at a system call, for the machine."""
    path = lab.directory / "kill_at"
    disks.run("g++", "-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s", "-o", path,
              surroundings.TOP / "tests/vm/kill_at/kill_at.cpp")
    return path


def choices(image):
    """What the newest whole copy in a store's disk, read from outside, holds of (one-shot, saved default)."""
    state = json.loads(max(filter(None, still.copies(image)))[1])
    return tuple(state[name] and state[name]["title"] for name in ("one_shot", "saved_default"))


def kill(machine, what, count):
    """Boots, and kills the daemon there; another one has then looked around. A boot that ends otherwise ends it too."""
    machine.sh(f"echo {still.DAEMON} >/tmp/old; rm -f /tmp/killed; dmesg -c >/dev/null; "
               f"/test/kill_at $(cat /tmp/old) '{what}' {count} >/tmp/killed 2>&1 & killer=$!; "
               "for i in $(seq 300); do grep -qs . /tmp/killed && break; sleep 0.1; done; "
               "stillboot boot --wait 'the wanted one' >/tmp/boot 2>&1; "
               "for i in $(seq 300); do grep -q -e killed -e ended /tmp/killed && exit; sleep 0.1; done; "
               "kill -9 $killer; cat /tmp/killed /tmp/boot; stillboot status; stillboot log | tail -n 40; exit 1",
               timeout=120)
    still.wait_for_next_daemon(machine)
    machine.wait_sh(f"{still.LOOKED} && stillboot list | grep -q 'the wanted one'")
    return machine.sh("cat /tmp/killed").strip().split("\n")[-1]


def is_as_before(lab, machine, where, step, bound):
    said = machine.sh("dmesg | grep -o 'was cut off at the step [a-z-]*'", check=False)[1].split()
    lab.equal(f"{where}: the next daemon finds the record of the step", said[-1] if said else None, step)
    lab.equal(f"{where}: every driver is bound again", machine.sh(entries.BOUND), bound)
    lab.check(f"{where}: no record is left", machine.sh("[ ! -e /run/stillboot/handover.json ] && echo none", check=False)[1])
    lab.equal(f"{where}: no kernel is left loaded", machine.sh("cat /sys/kernel/kexec_loaded").strip(), "0")


def test_the_daemon_is_killed_at_each_step(lab):
    """the daemon killed at each step of a boot: all is put back, and the one-shot is neither lost nor used twice"""
    images = still.two_disks(lab)
    initrd = lab.module_initrd(SETUP, files=still.RULES | {"/test/kill_at": killer(lab)})
    with lab.machine(disks=images, kernel=lab.firmware()[0], initrd=initrd, append="stillboot.timeout=never",
                     limit=900) as machine:
        still.wait_for_entry(machine)
        machine.wait_sh(still.LOOKED)
        machine.sh("stillboot set-default 'another entry'; stillboot set-oneshot 'the wanted one'")
        kept = ("the wanted one", "another entry")
        lab.equal("the store's disk holds what was chosen", choices(images[1][0]), kept)
        bound = machine.sh(entries.BOUND)
        for number, (where, what, count, step) in enumerate(CUTS):
            if number == TRIALS:
                machine.sh("stillboot settings trial never")
            lab.equal(f"{where}: the daemon is killed", kill(machine, what, count), f"killed at {what} {count}")
            is_as_before(lab, machine, where, step, bound)
            lab.equal(f"{where}: the store's disk holds what was chosen", choices(images[1][0]), kept)
        machine.sh("(stillboot boot 'the wanted one' >/dev/null 2>&1 &)")
        said = machine.wait_marker()
        lab.equal("after all of that it boots, by kexec", said["bootloader_type"], "208")
        lab.check("the one that was chosen for once", f"nonce={lab.nonce}" in said["cmdline"], said["cmdline"])
        machine.wait_off()
    lab.equal("that has used up the one-shot, and nothing else", choices(images[1][0]), (None, "another entry"))
    with lab.machine(disks=images, append="stillboot.timeout=2") as machine:
        said = machine.wait_marker(timeout=150)
        lab.check("the next start boots the saved default by itself", "other=yes" in said["cmdline"], said["cmdline"])
        machine.wait_off()
