# SPDX-License-Identifier: Apache-2.0
"""Consoles that are locked: what a person without the password can do at one, and what with it."""
import json

import disks
import entries
import still

PASSWORD = "correct horse"
# By libxcrypt's yescrypt, at its usual cost.
SALT = "FCIBQLBcNEjmTxxBLxpaD"
HASH = f"$y$j9T${SALT}.$O4hzHmwQoz3BrHL6pvBOgEZW38LXjcERSmyT071thx2"
PROMPT = r"Password: *\n( +With it .*\n)? +Type the password"


def state(machine):
    return json.loads(machine.sh("stillboot status --json=short"))


def shells_on_the_console(machine):
    """The programs that have ttyS0 and are neither the menu nor what started it."""
    return machine.sh("for p in /proc/[0-9]*; do [ \"$(readlink $p/fd/0)\" != /dev/ttyS0 ] || "
                      "tr '\\0' ' ' <$p/cmdline; echo; done | grep -v -e '^$' -e 'stillboot menu' -e firmware/console",
                      check=False)[1].strip()


def press_what_is_kept_back(lab, machine):
    """Every key that boots, changes or opens something ends at the prompt, and nothing is done."""
    for name, keys in (("Enter", "\r"), ("the editor", "e"), ("a rescan", "r"), ("the shell", "s"), ("Ctrl-C", "\x03"),
                       ("a restart", "ty"), ("a power-off", "py")):
        machine.console.send(keys)
        machine.console.wait_screen(PROMPT)
        lab.check(f"{name} asks for the password", True)
        machine.console.send("\x03")  # leaves the prompt at once, where Escape may be the first of a sequence
        machine.console.wait_screen(r"no key stops this(.*\n)+.*Enter Boot")
    machine.console.send("\x1a\x1c\x04jjjk ")
    lab.equal("the countdown goes on", state(machine)["phase"], "countdown")
    lab.equal("no shell runs on the console", shells_on_the_console(machine), "")


def kill_the_menu(lab, machine):
    """What starts it again opens no shell either."""
    machine.sh("kill -SEGV $(pidof stillboot)")
    machine.console.expect(r"until then, Enter opens a shell")
    machine.console.send("\r")
    machine.console.expect(r"This console is locked\. Password: ")
    machine.console.send("xylophon\r")
    machine.console.expect(r"this is not the password")
    machine.console.expect(r"Stillboot \d")  # a menu that draws everything anew, and listens
    machine.console.wait_screen(r"no key stops this(.*\n)+.*Enter Boot", timeout=60)
    lab.check("where the menu died the way into a shell asks for the password, and the menu is back, locked", True)


def try_wrong_ones(lab, machine):
    machine.console.send("l")
    for count in (2, 3):  # the first was given where the menu had died
        machine.console.wait_screen(r"Type the password|Type it again")
        machine.console.send("xylophon\r")
        machine.wait_sh(f"[ $(stillboot log | grep -c 'gave a wrong password') -ge {count} ]")
    machine.console.wait_screen(r"That was not the password")
    lab.check("a wrong password is refused", True)
    said = machine.sh("for i in 1 2 3 4 5 6; do echo xylophon | stillboot password --ask; echo status $?; done", timeout=120)
    lab.check("after a few of them the next is not looked at for a while",
              "no password is looked at for another" in said and "status 0" not in said, said)
    log = machine.sh("stillboot log")
    lab.check("the log says that one has to wait, and not what was typed",
              "gave a wrong password; the next one has to wait" in log and "xylophon" not in log, log)
    lab.equal("still nothing has happened", state(machine)["phase"], "countdown")


def unlock(machine):
    """The right one, until it is looked at."""
    for _ in range(12):
        machine.console.wait_screen(r"Type the password|Type it again", timeout=90)
        machine.console.send("\x15" + PASSWORD + "\r")
        said = machine.console.wait_screen(r"clock is stopped|the next is looked at in \d+ s", timeout=60)[0]
        if said == "clock is stopped":
            return
    raise AssertionError("the right password was never looked at")


def look_for_the_hash(lab, machine):
    for verb in ("settings", "settings --json", "report", "log", "status --json", "system --json"):
        said = machine.sh(f"stillboot {verb}")
        lab.check(f"stillboot {verb} does not show the hash", said and SALT not in said, said)
    lab.check("only that there is one", "password = set  (kernel command line)" in machine.sh("stillboot settings password"))


def hammer_while_it_looks(machine, keys):
    """Types on ttyS0 until the daemon has read all settings."""
    machine.console.send(keys)
    while machine.sh("stillboot status --json=short | grep -q '\"lock_unknown\":false'", check=False)[0] != 0:
        machine.console.send(keys)


A_SHELL = "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done | grep -q '^/bin/sh -i'"


def wait_for_a_shell(machine):
    machine.wait_sh(A_SHELL)


def leave_a_shell_open(lab, machine):
    machine.console.send("s")
    machine.console.wait_screen(PROMPT)
    machine.console.send(PASSWORD + "\r")
    wait_for_a_shell(machine)
    machine.wait_sh(f"! {{ {A_SHELL}; }}")
    machine.console.wait_screen(r"locked again: no key was pressed for 10 seconds(.*\n)+.*Enter Boot", timeout=60)
    lab.check("a shell that was left open is ended, and the console locked", True)


def test_a_lock_in_the_state_store_holds_from_the_first_moment(lab):
    """a lock that only the state store knows of: nothing opens before it is read, at a start and when the daemon starts anew"""
    images = still.two_disks(lab)
    with lab.machine(disks=images, append=still.UNHURRIED) as machine:
        machine.console.expect(r"Stillboot \d")
        machine.console.send("s")
        still.wait_for_entry(machine)
        machine.wait_sh(still.LOOKED)
        wait_for_a_shell(machine)
        lab.check("a machine without a lock opens the shell that was asked for early", True)
        lab.equal("and the key has stopped its clock", state(machine)["phase"], "idle")
        machine.console.send("exit\r")
        status, said = machine.sh("stillboot settings password '$1$abc'", check=False)
        lab.check("a hash that nothing can match is refused in words", status == 4 and "no password could ever match" in said,
                  said)
        machine.sh(f"stillboot settings password '{HASH}'; stillboot settings lock true")
        machine.console.wait_screen(r"This console is locked")
        still.end_daemon(machine, "KILL")
        hammer_while_it_looks(machine, "s\x03")
        lab.equal("no shell runs on the console of a daemon that has started anew", shells_on_the_console(machine), "")
        machine.sh("(stillboot poweroff >/dev/null 2>&1 &)")
        machine.wait_off()
    with lab.machine(disks=images, append=still.UNHURRIED) as machine:
        machine.console.expect(r"Stillboot \d")
        hammer_while_it_looks(machine, "s ")
        lab.equal("nor on that of one that was switched on", shells_on_the_console(machine), "")
        machine.wait_sh("stillboot status --json=short | grep -q '\"phase\":\"countdown\"'")
        lab.check("no key has stopped the clock", True)
        machine.console.wait_screen(r"no key stops this(.*\n)+.*Enter Boot", timeout=60)
        lab.check("a prompt that was left is gone after a while", True)
        machine.console.send("s")
        machine.console.wait_screen(r"Password: *\n +With it a shell is opened\.")
        lab.check("the prompt names what the password is asked for", True)
        machine.console.send(PASSWORD + "\r")
        wait_for_a_shell(machine)
        lab.check("with the password it is done", True)


def test_console_wants_its_password(lab):
    """a locked console: no key boots, stops or opens anything without the password, which must not be guessed fast"""
    files = {**lab.boot_files(), **dict([entries.bls("Asked", options=f"nonce={lab.nonce}"),
                                         entries.bls("Usual", options="nonce=usual")])}
    image = disks.ext4(lab.directory / "root.img", disks.tree(lab.directory / "tree", files), label="root")
    append = f"stillboot.timeout=600 stillboot.boot=title=Usual stillboot.lock=true stillboot.lock_after=10 " \
             f"stillboot.password={HASH}"
    with lab.machine(disks=[(image, "virtio-blk")], append=append) as machine:
        machine.console.wait_screen(r"locked +2 entries(.*\n)+ +Usual starts in \d+ seconds\.\n +This console is locked: "
                                    r"no key stops this", timeout=120)
        lab.check("a locked console shows what boots when, and that no key stops it", True)
        press_what_is_kept_back(lab, machine)
        look_for_the_hash(lab, machine)
        kill_the_menu(lab, machine)
        try_wrong_ones(lab, machine)
        unlock(machine)
        lab.check("the right one unlocks, and the clock is stopped", True)
        machine.console.send("c")
        machine.console.wait_shown(r"timeout +600 ")
        lab.equal("the daemon says so, too", state(machine)["phase"], "idle")
        machine.console.wait_screen(r"locked again: no key was pressed for 10 seconds(.*\n)+.*Enter Boot", timeout=60)
        lab.check("without a key it is locked again, and what was open is closed", True)
        leave_a_shell_open(lab, machine)
        machine.console.send("g")
        if machine.console.wait_screen(r"(?m)^ [>►].*(Asked|Usual)")[1] != "Asked":
            machine.console.send("j")
        machine.console.wait_screen(r"(?m)^ [>►].*Asked")
        machine.console.send("\r")
        machine.console.wait_screen(PROMPT)
        machine.console.send(PASSWORD + "\r")
        said = machine.wait_marker()
        lab.check("with the password the entry that was chosen boots", f"nonce={lab.nonce}" in said["cmdline"],
                  said["cmdline"])
        machine.wait_off()
