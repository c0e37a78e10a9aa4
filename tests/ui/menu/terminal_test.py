#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# The menu on a pseudo-terminal against a small daemon, its screen read back: terminal_test.py MENU_PROGRAM
import os
import sys
import tempfile
import time
import unittest

try:
    import pyte  # noqa: F401
except ImportError:
    print("SKIP: python3-pyte is not installed")
    sys.exit(77)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fake_daemon import FakeDaemon, change, device, option, said, sample, state  # noqa: E402
from session import Session  # noqa: E402

PROGRAM = os.path.abspath(sys.argv.pop(1))
UTF8 = {"LANG": "C.UTF-8"}
STOP = "Press any key to stop this and choose for yourself."


def progress(step, text, done=0, total=0):
    return {"option": "nvme0n1p2/grub/0", "step": step, "message": said(text), "done": done, "total": total,
            "elapsed_ms": 1500, "active": [], "left_ms": 0}


class MenuTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.socket = os.path.join(self.directory.name, "socket")

    def daemon(self, snapshot=None):
        made = FakeDaemon(self.socket, snapshot or sample())
        self.addCleanup(made.quit)
        return made

    def menu(self, **more):
        made = Session([PROGRAM, self.socket, *more.pop("arguments", [])], **more)
        self.addCleanup(made.close)
        return made

    def test_every_terminal_type_shows_the_countdown_and_takes_arrow_keys(self):
        # pyte does not know REP (repeat the character), which xterm's newer descriptions have and vt100's has not.
        for term in ("vt100", "vt220", "linux", "xterm", None, "unknown", "no-such-terminal"):
            with self.subTest(term=term):
                daemon = self.daemon()
                with self.menu(term=term) as menu:
                    menu.wait_for(STOP)
                    menu.wait_for("Debian GNU/Linux starts in ")
                    menu.wait_for(" > * Debian GNU/Linux     ")
                    menu.send(b"\x1bOB\x1b[B")
                    menu.wait_for(" >     Debian GNU/Linux, with Linux 6.1.0-18-amd64 (recovery mode)")
                    daemon.wait_for_call("Cancel")
                    daemon.tell(state=state("idle"))
                    menu.wait_for("Nothing starts by itself.")
                    menu.send("q")
                    self.assertEqual(menu.wait_exit(), 0)
                daemon.quit()

    def test_utf8_where_the_locale_has_it_and_ascii_elsewhere(self):
        snapshot = sample()
        snapshot["options"][0]["title"] = "Système 日本 ok"
        self.daemon(snapshot)
        for env, shown in ((UTF8, "Système 日本 ok"), ({"LC_ALL": "en_US.UTF-8"}, "Système 日本 ok"),
                           ({}, "Syst?me ?? ok"), ({"LANG": "C"}, "Syst?me ?? ok")):
            with self.subTest(env=env), self.menu(env=env) as menu:
                # The emulator leaves the second cell of a wide character empty.
                menu.wait(lambda text: shown in text.replace("日 ", "日").replace("本  ", "本 "), shown)

    def test_a_size_that_is_not_known_is_80_by_24(self):
        self.daemon()
        with self.menu(size_known=False) as menu:
            menu.wait_for("p Off")
            self.assertTrue(menu.screen.display[23].startswith(" Enter Boot e Edit"))

    def test_a_new_size_is_taken_over(self):
        daemon = self.daemon()
        menu = self.menu()
        menu.wait_for(STOP)
        menu.resize(12, 40)
        menu.wait(lambda _: menu.screen.display[11].startswith(" Enter Boot e Edit"), "the bar in the last row")
        menu.resize(40, 120)
        menu.wait(lambda _: menu.screen.display[39].startswith(" Enter Boot  e Edit"), "the bar in the last row")
        self.assertIn("q Quit", menu.text())
        self.assertEqual(daemon.calls, [], "a new size is no key")

    def test_an_edited_command_line_is_what_is_booted(self):
        daemon = self.daemon()
        menu = self.menu(env=UTF8)
        menu.wait_for(STOP)
        menu.send("e")
        menu.wait_for("Edit the command line")
        menu.send(b"\x17" + "nonce=ünïcode".encode() + b"\x1b[D\x1b[D\x7f\x01first \x05!")
        menu.wait_for("first root=UUID=5d7f0c9e ro nonce=ünïcde!")
        menu.send("\r")
        self.assertEqual(daemon.wait_for_call("Boot"),
                         {"option": "nvme0n1p2/grub/0", "kernel": None, "initrds": None, "devicetree": None,
                          "append": None, "dry_run": None, "console": False,
                          "args": "first root=UUID=5d7f0c9e ro nonce=ünïcde!"})

    def test_keys_typed_at_once_are_asked_in_their_order(self):
        daemon = self.daemon()
        menu = self.menu()
        menu.wait_for(STOP)
        menu.send(b"j\r")
        daemon.wait_for_call("Boot")
        self.assertEqual([name for name, _ in daemon.calls], ["Cancel", "Boot"])
        self.assertEqual(daemon.calls[1][1]["option"], "nvme0n1p2/grub/1")

    def test_leaving_the_menu_stops_the_clock_too(self):
        daemon = self.daemon()
        menu = self.menu()
        menu.wait_for(STOP)
        menu.send("q")
        self.assertEqual(menu.wait_exit(), 0)
        daemon.wait_for_call("Cancel")

    def test_function_keys_of_all_terminals_are_understood(self):
        self.daemon()
        menu = self.menu()
        menu.wait_for(STOP)
        for keys, shown in ((b"\x1bOP", "This machine runs Stillboot"), (b"\x1b[11~", "This machine runs Stillboot"),
                            (b"\x1b[[A", "This machine runs Stillboot"), (b"\x1bOR", "/boot/grub/grub.cfg, line 102"),
                            (b"\x1b[14~", "the key \"linx\" is not known")):
            menu.send(keys)
            menu.wait_for(shown)
            menu.send("q")
            menu.wait_for("Enter Boot e Edit")

    def test_an_escape_sequence_in_two_pieces_is_one_key(self):
        self.daemon()
        menu = self.menu(env={"ESCDELAY": "5000"})
        menu.wait_for(" > * Debian GNU/Linux     ")
        menu.send(b"\x1b")
        menu.read(0.2)
        menu.send(b"[B")
        menu.wait_for(" >     Debian GNU/Linux, with Linux 6.1.0-18-amd64   ".rstrip() + "\n")

    def test_escape_alone_goes_back(self):
        self.daemon()
        menu = self.menu(env={"ESCDELAY": "50"})
        menu.wait_for(STOP)
        menu.send("h")
        menu.wait_for("This machine runs Stillboot")
        menu.send(b"\x1b")
        menu.wait_for("Enter Boot e Edit")

    def test_devices_come_and_go_in_the_fixed_order(self):
        daemon = self.daemon()
        menu = self.menu()
        menu.wait_for("SanDisk Ultra")
        daemon.tell(devices=[device("vda1", "0/bb", "Hot disk")], options=[option("vda1/0", "Hot plugged", "vda1")])
        menu.wait_for("Hot plugged")
        text = menu.text()
        self.assertLess(text.index("Samsung SSD"), text.index("Hot disk"))
        self.assertLess(text.index("Hot disk"), text.index("SanDisk"))
        daemon.tell(devices_removed=["vda1"], options_removed=["vda1/0"])
        menu.wait_gone("Hot plugged")

    def test_a_hand_over_prints_plain_lines_and_an_undo_brings_the_menu_back(self):
        daemon = self.daemon()
        menu = self.menu()
        menu.wait_for(STOP)
        daemon.tell(state=state("handover", progress=progress("fetch", "/boot/vmlinuz", 30_000_000, 60_000_000)))
        menu.wait_for("30 MB of 60 MB")
        menu.wait_for("Press Esc to stop it.")
        daemon.tell(state=state("handover", progress=progress("commit", "the record is written")))
        daemon.tell(state=state("handover", progress=progress("unbind", "e1000 0000:00:03.0", 3, 19)))
        menu.wait_for("   1.5 s  unbind 3/19: e1000 0000:00:03.0")
        menu.send(b"\x03")
        daemon.wait_for_call("Cancel")
        menu.wait_for("Stopping. Everything is put back.")
        daemon.tell(state=state("idle", last_failure=said("it was cancelled")))
        menu.wait_for("The last boot did not happen: it was cancelled")
        menu.wait_for("Enter Boot e Edit")

    def test_a_refusal_is_shown(self):
        daemon = self.daemon(sample(phase="idle"))
        daemon.errors["Boot"] = {"error": "io.stillboot.PermissionDenied", "parameters": {"needed": "boot", "has": "look"}}
        menu = self.menu()
        menu.wait_for("Nothing starts by itself.")
        menu.send("\r")
        menu.wait_for("this needs the role boot, and the caller has the role look")

    def test_a_daemon_that_is_away_is_said_and_waited_for(self):
        menu = self.menu()
        menu.wait_for("The Stillboot daemon does not answer.")
        menu.wait_for("stillbootd cannot be reached at " + self.socket)
        daemon = self.daemon()
        menu.wait_for(STOP)
        daemon.stop()
        menu.wait_for("The Stillboot daemon does not answer.")
        daemon.start()
        menu.wait_for(STOP)

    def test_a_daemon_that_answers_nothing_is_said_and_asked_again(self):
        daemon = self.daemon()
        daemon.silent = True
        menu = self.menu()
        menu.wait_for("The Stillboot daemon does not answer.", timeout=60)
        menu.wait_for("stillbootd did not answer within 10 s")
        daemon.silent = False
        menu.wait_for(STOP, timeout=60)

    def test_the_shell_has_the_terminal_and_gives_it_back(self):
        self.daemon(sample(phase="idle"))
        menu = self.menu(arguments=["/bin/sh"], env={"PS1": "shell> "})
        menu.wait_for("Nothing starts by itself.")
        menu.send("s")
        menu.wait_for("shell> ")
        menu.send("stty -a; echo $((6*7))\r")
        menu.wait_for("42")
        self.assertIn(" echo", menu.text())
        menu.send("exit\r")
        menu.wait_for("Enter Boot e Edit")
        menu.send("h")
        menu.wait_for("This machine runs Stillboot")

    def test_a_shell_that_is_missing_is_said(self):
        self.daemon(sample(phase="idle"))
        menu = self.menu(arguments=["/no/such/shell"])
        menu.wait_for("Nothing starts by itself.")
        menu.send("s")
        menu.wait_for("/no/such/shell cannot be started: ENOENT")

    def test_two_menus_show_the_same_and_one_stops_the_clock_for_both(self):
        daemon = self.daemon()
        one, two = self.menu(), self.menu()
        one.wait_for(STOP)
        two.wait_for(STOP)
        one.send("z")
        daemon.wait_for_call("Cancel")
        daemon.tell(state=state("idle"))
        one.wait_for("Nothing starts by itself.")
        two.wait_for("Nothing starts by itself.")

    def test_no_control_character_of_a_title_reaches_the_terminal(self):
        snapshot = sample(phase="idle")
        snapshot["options"][0]["title"] = "evil \x1b]0;owned\x07\x1b[2J end"
        snapshot["options"][0]["args"] = "a=\x1b[31mred"
        self.daemon(snapshot)
        menu = self.menu(env=UTF8)
        menu.wait_for("evil \N{REPLACEMENT CHARACTER}]0;owned")
        for key in "de":
            menu.send(key)
            menu.wait_for("a=\N{REPLACEMENT CHARACTER}[31mred")
            menu.send("\x03")
            menu.wait_for("Enter Boot e Edit")
        self.assertNotIn(b"]0;owned\x07", menu.raw)
        self.assertNotIn(b"\x1b[31mred", menu.raw)

    def test_two_thousand_entries_scroll_fast(self):
        snapshot = sample(phase="idle")
        snapshot["options"] += [option(f"nvme0n1p2/n{n}", f"Entry number {n}", "nvme0n1p2", 10 + n) for n in range(2000)]
        self.daemon(snapshot)
        menu = self.menu()
        menu.wait_for("2005 entries")
        begin = time.monotonic()
        menu.send("j" * 500)
        menu.wait_for(" >   Entry number 497")
        print(f"500 moves in a list of 2000 entries: {time.monotonic() - begin:.2f} s", file=sys.stderr)
        menu.send("G")
        menu.wait_for(" >   Generic Flash Disk")

    def test_a_locked_console_gives_a_shell_for_the_password_alone(self):
        daemon = self.daemon(sample(lock=True))
        daemon.errors["UnlockConsole"] = {"error": "io.stillboot.WrongPassword", "parameters": {"wait_ms": 0}}
        menu = self.menu(arguments=["/bin/sh", "console"], env={"PS1": "shell> "})
        menu.wait_for("This console is locked: no key stops this. l asks for the password.")
        menu.send(b"\x1a\x1c\x03")
        menu.wait_for("Type the password of this console")
        menu.send("xylophon\r")
        menu.wait_for("That was not the password.")
        self.assertNotIn("xylophon", menu.text())
        self.assertEqual([name for name, _ in daemon.calls], ["LockConsole", "UnlockConsole"])
        menu.send(b"\x03s")
        del daemon.errors["UnlockConsole"]
        menu.send("correct horse\r")
        menu.wait_for("shell> ")
        daemon.wait_for_call("Cancel")
        self.assertEqual(daemon.calls[2:], [("UnlockConsole", {"password": "correct horse"}),
                                            ("Cancel", {"console": True})])
        self.assertEqual(len(set(daemon.callers)), 1, "the password unlocks the connection that asks")
        menu.send("exit\r")
        menu.wait_for("Enter Boot e Edit")
        menu.send("l")
        menu.wait_for("This console is locked now.")
        menu.send("r")
        menu.wait_for("Password:")
        menu.send("correct horse\r")
        daemon.wait_for_call("Rescan")
        self.assertEqual([name for name, _ in daemon.calls[4:]], ["LockConsole", "UnlockConsole", "Rescan"])
        self.assertEqual(len(set(daemon.callers)), 2, "a lock gives up the connection that was unlocked")
        self.assertNotIn(b"horse", menu.raw)

    def test_an_unlocked_console_locks_itself_without_a_key_and_without_its_daemon(self):
        daemon = self.daemon(sample(phase="idle", lock=True, lock_after_ms=3000))
        menu = self.menu(arguments=["/bin/sh", "console"])
        menu.wait_for("This console is locked: what boots or changes anything")
        menu.send("e")
        menu.wait_for("Password:")
        menu.send("horse\r")
        menu.wait_for("Edit the command line")
        menu.wait_for("This console is locked again: no key was pressed for 3 seconds.")
        daemon.tell(state=state("idle", lock=True))
        menu.send("lhorse\r")
        menu.wait_for("This console is unlocked.")
        daemon.stop()
        menu.wait_for("Trying again every second.\n")
        menu.send("s")
        menu.wait_for("Password:")

    def test_a_shell_that_was_left_open_is_ended_and_the_console_locked(self):
        daemon = self.daemon(sample(phase="idle", lock=True, lock_after_ms=1000))
        menu = self.menu(arguments=["/bin/sh", "console"], env={"PS1": "shell> "})
        menu.wait_for("This console is locked: what boots or changes anything")
        menu.send("s")
        menu.wait_for("Password:")
        menu.send("horse\r")
        menu.wait_for("shell> ")
        # Who runs a program is there, however long it takes: this one longer than the kernel's step for keys.
        menu.send("sleep 12; echo still $((40 + 2))\r")
        menu.wait_for("still 42", timeout=60)
        menu.wait_for("This console is locked again: no key was pressed for 1 seconds.", timeout=60)
        menu.send("s")
        menu.wait_for("Password:")

    def test_a_console_may_begin_locked_and_a_daemon_that_is_away_opens_nothing(self):
        menu = self.menu(arguments=["/bin/sh", "locked"])
        menu.wait_for("Trying again every second.\n")
        menu.send("shorse\r")
        menu.wait_for("It cannot be compared: stillbootd cannot be reached")
        self.daemon(sample(phase="idle"))
        menu.wait_for("Choose with the arrow keys, then press Enter to boot.")
        menu.send("q")
        self.assertEqual(menu.wait_exit(), 0)

    def test_without_a_terminal_it_says_so(self):
        import subprocess
        outcome = subprocess.run([PROGRAM, self.socket], stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
        self.assertEqual(outcome.returncode, 1)
        self.assertEqual(outcome.stderr, b"stillboot: The menu needs a terminal, and standard input is none\n")


if __name__ == "__main__":
    unittest.main()
