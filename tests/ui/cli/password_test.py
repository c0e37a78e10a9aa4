#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# stillboot password, on a pseudo-terminal and without one: password_test.py STILLBOOT LIBEXEC
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import unittest

try:
    import pyte  # noqa: F401
except ImportError:
    print("SKIP: python3-pyte is not installed")
    sys.exit(77)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../menu"))
from fake_daemon import FakeDaemon, sample  # noqa: E402
from session import Session  # noqa: E402

LIBEXEC = os.path.abspath(sys.argv.pop(2))
STILLBOOT = os.path.abspath(sys.argv.pop(1))
libcrypt = ctypes.CDLL("libcrypt.so.1")
libcrypt.crypt.restype = ctypes.c_char_p
WRONG = {"error": "io.stillboot.WrongPassword", "parameters": {"wait_ms": 2000}}


def fits(line, password):
    """Whether a line of stillboot.toml holds a yescrypt hash of the password, by the C library's word."""
    hash = line.removeprefix('password = "').removesuffix('"')
    return hash.startswith("$y$") and libcrypt.crypt(password.encode(), hash.encode()) == hash.encode()


class PasswordTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.socket = os.path.join(self.directory.name, "socket")

    def arguments(self, more):
        asks_daemon = "--set" in more or "--ask" in more
        return [STILLBOOT, *(["--host", "unix:" + self.socket] if asks_daemon else []), "password", *more]

    def daemon(self, **state):
        snapshot = sample(phase="idle", **state)
        made = FakeDaemon(self.socket, snapshot, {"GetState": {"parameters": {"state": snapshot["state"]}}})
        self.addCleanup(made.quit)
        return made

    def terminal(self, *more):
        made = Session(self.arguments(more), env={"STILLBOOT_LIBEXEC": LIBEXEC})
        self.addCleanup(made.close)
        return made

    def piped(self, text, *more, libexec=LIBEXEC):
        return subprocess.run(self.arguments(more), input=text.encode(), capture_output=True, timeout=60,
                              env={**os.environ, "STILLBOOT_LIBEXEC": libexec})

    def test_one_line_of_a_pipe_becomes_a_line_of_the_settings(self):
        for text in ("correct horse\n", "correct horse"):
            outcome = self.piped(text)
            self.assertEqual((outcome.returncode, outcome.stderr), (0, b""))
            self.assertTrue(fits(outcome.stdout.decode().rstrip("\n"), "correct horse"), outcome.stdout)
        told = json.loads(self.piped("a\n", "--json").stdout)
        self.assertEqual(list(told), ["password"])

    def test_what_is_no_password_is_refused_in_words(self):
        for text, words in (("", "no password was given"), ("\n", "a password is 1 to 256 bytes"),
                            ("x" * 257 + "\n", "longer than the 256 bytes"), ("a\tb\n", "of UTF-8 text in one line")):
            outcome = self.piped(text)
            self.assertEqual((outcome.returncode, outcome.stdout), (1, b""))
            self.assertIn(words, outcome.stderr.decode())

    def test_a_build_without_passwords_says_so(self):
        outcome = self.piped("horse\n", libexec="/nowhere")
        self.assertEqual(outcome.returncode, 1)
        self.assertIn("passwords are not in this build: stillboot-password is not installed", outcome.stderr.decode())

    def test_a_terminal_shows_nothing_of_it_and_asks_twice(self):
        terminal = self.terminal()
        terminal.wait_for("New password:")
        terminal.send(b"wrong\x15correct hoxx\x7f\x7frse\r")
        terminal.wait_for("Once more:")
        terminal.send("correct horse\r")
        self.assertEqual(terminal.wait_exit(), 0)
        self.assertNotIn(b"horse", terminal.raw)
        line = terminal.text().replace("\n", "").split("Once more:")[1].strip()
        self.assertTrue(fits(line, "correct horse"), terminal.text())

    def test_two_that_differ_change_nothing_and_leaving_gives_the_terminal_back(self):
        daemon = self.daemon()
        terminal = self.terminal("--set")
        terminal.wait_for("New password:")
        terminal.send("one\r")
        terminal.wait_for("Once more:")
        terminal.send("two\r")
        self.assertEqual(terminal.wait_exit(), 1)
        self.assertIn("the two are not the same", terminal.text())
        for key in (b"\x03", b"\x04", b"\x1b"):
            terminal = self.terminal("--set")
            terminal.wait_for("New password:")
            terminal.send(key)
            self.assertEqual(terminal.wait_exit(), 1)
            self.assertIn("no password was given", terminal.text())
        self.assertEqual(daemon.calls, [])

    def test_it_is_kept_in_the_state_store_where_that_is_asked_for(self):
        daemon = self.daemon()
        setting = {"key": "password", "value": "set", "origin": "state store", "stored": "set", "any_time": True}
        daemon.errors["SetSetting"] = {"parameters": {"setting": setting}}
        outcome = self.piped("correct horse\n", "--set")
        self.assertEqual((outcome.returncode, outcome.stdout), (0, b"password = set  (state store)\n"))
        asked = daemon.wait_for_call("SetSetting")
        self.assertEqual(asked["key"], "password")
        self.assertTrue(fits(asked["value"], "correct horse"))

    def test_a_script_asks_for_the_one_that_is_set(self):
        daemon = self.daemon(lock=True)
        terminal = self.terminal("--ask")
        terminal.wait_for("This console is locked. Password:")
        terminal.send("correct horse\r")
        self.assertEqual(terminal.wait_exit(), 0)
        self.assertNotIn(b"horse", terminal.raw)
        self.assertEqual(daemon.calls[1:], [("LockConsole", {}), ("UnlockConsole", {"password": "correct horse"})])
        self.assertEqual(len(set(daemon.callers)), 1)
        daemon.errors["UnlockConsole"] = WRONG
        outcome = self.piped("horse\n", "--ask")
        self.assertEqual(outcome.returncode, 4)
        self.assertIn("this is not the password; the next one is looked at in 2000 ms", outcome.stderr.decode())
        self.assertEqual(self.piped("", "--ask").returncode, 4)

    def test_where_no_console_is_locked_a_script_is_not_asked(self):
        self.daemon()
        outcome = self.piped("", "--ask")
        self.assertEqual((outcome.returncode, outcome.stdout), (0, b""))

    def test_while_the_settings_are_read_a_script_does_not_go_on(self):
        self.daemon(lock_unknown=True)
        outcome = self.piped("", "--ask")
        self.assertEqual((outcome.returncode, outcome.stdout), (4, b""))
        self.assertIn("the settings are still being read", outcome.stderr.decode())

    def test_a_daemon_that_is_started_anew_is_waited_for(self):
        terminal = self.terminal("--ask")
        self.daemon(lock=True)
        terminal.wait_for("This console is locked. Password:")

    def test_without_a_daemon_the_files_say_whether_a_script_may_go_on(self):
        root = os.path.join(self.directory.name, "root")
        os.makedirs(root + "/etc/stillboot")
        with open(root + "/etc/stillboot/stillboot.toml", "w", encoding="utf-8") as file:
            file.write("state_store = 'none'\n")
        self.assertEqual(self.piped("", "--ask", "--root", root).returncode, 0)
        with open(root + "/etc/stillboot/stillboot.toml", "w", encoding="utf-8") as file:
            file.write("lock = true\n")
        self.assertEqual(self.piped("horse\n", "--ask", "--root", root).returncode, 5)


if __name__ == "__main__":
    unittest.main()
