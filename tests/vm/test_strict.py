# SPDX-License-Identifier: Apache-2.0
"""Strict mode: nobody near, keys held down at the console, boots that fail, and an end all the same."""
import itertools
import threading

import disks
import entries

STRICT = "stillboot.strict=true stillboot.strict_retries=1 stillboot.timeout=5 stillboot.final_action=poweroff"

# What the menu knows (ui/menu/key.cpp), pressed in this order again and again: each page is left after it was opened.
# Escape is not among what leaves them: what follows too soon would be taken for the rest of its sequence.
ARROWS = ["\x1b[B", "\x1b[A", "\x1b[C", "\x1b[D", "\x1b[5~", "\x1b[6~", "\x1b[3~"]
MOVES = [*"jkgG ", "\x02", "\x06", "\x0e", "\x10", "\t"]
PAGES = [key for page in "dmhic" for key in (page, "j", "\x7f")]
BOOTS = ["\r", "e", "x", "\r", "e", "\x03"]
OTHERS = [*"rl", "\x0c", "n", *"tnpn", *"typy", "s", "q", "\x1b"]
KEYS = [*ARROWS, "\r", *MOVES, "\r", *PAGES, *BOOTS, *OTHERS]


class HeldKeys:
    """Every key that the menu knows, one after the other and without an end, at the first console."""

    def __init__(self, machine):
        self._machine, self._ended = machine, threading.Event()
        self._thread = threading.Thread(target=self._press)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _press(self):
        for key in itertools.cycle(KEYS):
            if self._ended.wait(0.3):
                return
            try:
                self._machine.console.send(key)
            except OSError:
                return  # the machine is off


def disk(lab, label, files, kind):
    return disks.ext4(lab.directory / f"{label}.img", disks.tree(lab.directory / label, files), label=label), kind


def never_answers(lab):
    """The QEMU arguments of a disk that answers one request, and the next not for hours."""
    image = disks.ext4(lab.directory / "dead.img", disks.tree(lab.directory / "dead", {"hello": "dead"}), label="dead")
    return ["-drive", f"if=none,id=dead,format=raw,file={image},throttling.bps-total=1,throttling.bps-total-max=16384",
            "-device", "virtio-blk-pci,drive=dead,serial=dead"]


def keeps_the_dead_disk(lab, machine):
    """What the plan and the kernel say of it: a remove would wait for its answers."""
    node = machine.sh("grep -lx dead /sys/block/*/serial").split("/")[3]
    lab.check("the disk that never answers has requests that wait",
              machine.sh(f"cat /sys/block/{node}/inflight").split() != ["0", "0"])
    machine.wait_sh("stillboot list | grep -q Whole")
    planned = machine.sh("stillboot boot Whole --dry-run")
    lab.check("it is kept, with the reason", f"kept because /dev/{node}" in planned, planned)


def test_strict_mode_boots_past_keys_and_failures(lab):
    """strict mode: keys held down stop nothing, a disk that never answers neither, and what fails is followed by the next"""
    images = [disk(lab, "bare", dict([entries.bls("NoKernel", kernel="/boot/none")]), "ahci"),
              disk(lab, "good", {**lab.boot_files(), **dict([entries.bls("Whole", options=f"nonce={lab.nonce}")])},
                   "nvme")]
    with lab.machine(disks=images, arguments=never_answers(lab),
                     append=f'{STRICT} stillboot.settle_deadline=10 stillboot.boot_first="title=Late wait=600"') as machine:
        with HeldKeys(machine):
            machine.console.wait_shown(r"Now waiting for what the rule title=Late wait=600(.*\n)*.*Strict mode", timeout=90)
            lab.check("the rule is waited for", True)
            keeps_the_dead_disk(lab, machine)
            machine.sh("stillboot settings --once boot_first 'title=Late wait=1'")
            machine.console.wait_shown(r"Whole starts in \d+ second(.*\n)*.*Strict mode", timeout=90)
            lab.check("no key stops the clock, and the entry without a kernel is followed by the next", True)
            said = machine.wait_marker()
        lab.equal("it boots by itself, by kexec", said["bootloader_type"], "208")
        lab.check("it is the entry's command line", f"nonce={lab.nonce}" in said["cmdline"], said["cmdline"])
        machine.wait_off()


def test_strict_mode_ends_in_a_shell(lab):
    """strict mode: where the final action is a shell, the console has one"""
    images = [disk(lab, "bare", dict([entries.bls("NoKernel", kernel="/boot/none")]), "ahci")]
    append = STRICT.replace("poweroff", "shell").replace("retries=1", "retries=0")
    with lab.machine(disks=images, append=append) as machine:
        machine.console.expect(r"~ # ", 120)
        machine.console.send("echo shell-$((6 * 7))\r")
        machine.console.expect("shell-42", 30)
        lab.check("a shell answers at the console, without a key", True)
        machine.console.send("exit\r")
        machine.console.wait_screen(r"NoKernel", timeout=30)
        lab.check("the menu follows it", True)


def test_strict_mode_ends_in_the_final_action(lab):
    """strict mode: when everything failed in every round, the final action is done"""
    images = [disk(lab, "bare", dict([entries.bls("NoKernel", kernel="/boot/none")]), "ahci")]
    with lab.machine(disks=images, append=STRICT) as machine:
        with HeldKeys(machine):
            machine.console.wait_shown(r"tried again, round 1 of 1", timeout=90)
            lab.check("everything is tried again", True)
            lab.equal("the machine is powered off, seen by QEMU", machine.wait_end(120), ["guest-shutdown"])
