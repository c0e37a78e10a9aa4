#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# The socket carried by ssh: a stand-in for ssh, the bridge and the daemon are processes of their own.
import json
import os
import socket
import subprocess
import sys
import time
import unittest

import remote

ALWAYS = ["-T", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"]

# Notes how it was called and does what its test says in place of the other machine.
FAKE_SSH = """#!/bin/sh
printf '%s\\n' "$@" >"{directory}/arguments"
{body}
"""


class Ssh(remote.Case):
    def setUp(self):
        super().setUp()
        self.start_daemon()
        self.bin = self.directory / "bin"
        self.bin.mkdir()
        self.environment["PATH"] = f"{self.bin}:{os.environ['PATH']}"

    def ssh(self, body):
        fake = self.bin / "ssh"
        fake.write_text(FAKE_SSH.format(directory=self.directory, body=body))
        fake.chmod(0o755)

    def carry(self, before=""):
        self.ssh(f'{before}\nexec "{self.programs[1]}" --host "unix:{self.socket}" bridge')

    def arguments(self):
        return (self.directory / "arguments").read_text().split("\n")[:-1]

    def test_a_call_goes_there_and_back(self):
        self.carry()
        status, out, err = self.stillboot("--host", "ssh://anna@[fe80::1%eth0]:2222", "--json=short", "list")
        self.assertEqual((status, err), (0, ""))
        self.assertEqual([option["title"] for option in json.loads(out)["options"]], ["Linux"])
        self.assertEqual(self.arguments(), [*ALWAYS, "-p", "2222", "-l", "anna", "--", "fe80::1%eth0", "stillboot", "bridge"])

    def test_a_stream_goes_on_until_it_is_stopped(self):
        self.carry()
        with subprocess.Popen([self.programs[1], "--host", "ssh://other", "list", "--watch", "--json=short"],
                              env=self.environment, stdout=subprocess.PIPE, text=True) as watching:
            self.assertIn("Linux", watching.stdout.readline())
            watching.terminate()
        self.assertEqual(self.arguments(), [*ALWAYS, "--", "other", "stillboot", "bridge"])

    def test_who_waits_for_a_boot_hears_that_the_machine_hands_over(self):
        self.carry()
        self.hear_of_the_jump("--host", "ssh://other")

    def test_what_ssh_says_before_it_works_is_not_shown(self):
        self.carry(before="echo Warning: a new host key >&2")
        self.assertEqual(self.stillboot("--host", "ssh://other", "cancel"), (0, "There was nothing to stop.\n", ""))

    def test_failures_are_plain_words(self):
        rows = [
            ("echo 'ssh: connect to host other port 22: Connection refused' >&2; exit 255",
             "ssh: connect to host other port 22: Connection refused"),
            ("printf 'Banner\\nanna@other: Permission denied (publickey).\\r\\n' >&2; exit 255",
             "anna@other: Permission denied (publickey)."),
            ("echo 'sh: 1: stillboot: not found' >&2; exit 127", "the program stillboot is not found there"),
            ("exit 255", "ssh ended with status 255"),
            ("kill -9 $$", "ssh ended with status -1"),
            (f'exec "{self.programs[1]}" --host unix:/nowhere/socket bridge',
             "stillbootd cannot be reached at /nowhere/socket: ENOENT (No such file or directory)"),
        ]
        for body, words in rows:
            with self.subTest(words):
                self.ssh(body)
                self.assertEqual(self.stillboot("--host", "ssh://other", "list"),
                                 (5, "", f"stillboot: other cannot be reached by ssh: {words}\n"))

    def tries(self):
        return len((self.directory / "tries").read_text())

    def test_who_is_not_let_in_hears_why_and_does_not_try_again(self):
        for verb in (["list", "--watch"], ["wait", "options"]):
            with self.subTest(verb):
                (self.directory / "tries").write_text("")
                self.ssh(f"printf x >>{self.directory}/tries; echo 'Permission denied (publickey).' >&2; exit 255")
                self.assertEqual(self.stillboot("--host", "ssh://other", *verb), (
                    5, "", "stillboot: other cannot be reached by ssh: Permission denied (publickey).\n"))
                self.assertEqual(self.tries(), 1)

    def test_a_machine_that_is_away_for_a_while_is_tried_again_after_pauses_that_grow(self):
        (self.directory / "tries").write_text("")
        self.carry(before=f"printf x >>{self.directory}/tries; "
                          f"[ $(wc -c <{self.directory}/tries) = 1 ] || {{ echo 'No route to host' >&2; exit 255; }}")
        watching = subprocess.Popen([self.programs[1], "--host", "ssh://other", "list", "--watch"],
                                    env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertIn("Linux", watching.stdout.readline())
        self.stop_daemon()
        self.assertIn("stillbootd closed the connection. It is tried again.", watching.stderr.readline())
        self.assertEqual(watching.stderr.readline(),
                         "stillboot: other cannot be reached by ssh: No route to host. It is tried again.\n")
        before = time.monotonic()
        while self.tries() < 3:
            time.sleep(0.05)
        self.assertGreater(time.monotonic() - before, 1.5)
        watching.terminate()
        self.assertEqual(watching.communicate(timeout=20), ("", ""))

    def test_a_daemon_of_this_machine_that_is_started_again_is_watched_on(self):
        with subprocess.Popen([self.programs[1], "--host", f"unix:{self.socket}", "list", "--watch"],
                              env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
            self.assertIn("Linux", watching.stdout.readline())
            self.stop_daemon()
            self.assertIn("closed the connection. It is tried again.", watching.stderr.readline())
            self.assertIn("cannot be reached at", watching.stderr.readline())
            self.start_daemon()
            self.assertIn("From the beginning", watching.stderr.readline())
            self.assertIn("Linux", watching.stdout.readline())
            watching.terminate()

    def test_a_shell_over_there_that_talks_is_named_as_no_daemon(self):
        self.ssh("printf 'Welcome!\\0'; cat >/dev/null")
        status, out, err = self.stillboot("--host", "ssh://other", "list")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("the message is not JSON", err)

    def test_without_ssh_that_is_said(self):
        self.environment["PATH"] = str(self.bin)
        self.assertEqual(self.stillboot("--host", "ssh://other", "list"),
                         (5, "", "stillboot: other cannot be reached by ssh: the program ssh cannot be started: ENOENT "
                                 "(No such file or directory)\n"))

    def test_the_bridge_takes_no_other_bridge(self):
        self.assertEqual(self.stillboot("--host", "ssh://other", "bridge"),
                         (2, "", "stillboot: bridge takes a socket of this machine, by --host unix:PATH\n"))

    def test_the_bridge_ends_with_either_side(self):
        ours, its = socket.socketpair()
        bridge = subprocess.Popen([self.programs[1], "--host", f"unix:{self.socket}", "bridge"], stdin=its, stdout=its)
        its.close()
        ours.sendall(b'{"method":"org.varlink.service.GetInfo"}\0' * 2000)
        got = b""
        while got.count(b"\0") < 2000:
            got += ours.recv(65536)
        ours.close()
        self.assertEqual(bridge.wait(20), 0)


@unittest.skipUnless(os.getuid() == 0, "takes another user's place as root alone")
class Groups(remote.Case):
    def setUp(self):
        super().setUp()
        self.start_daemon()
        self.host = ["--host", f"unix:{self.socket}"]

    def as_user(self, *verb):
        return self.stillboot(*self.host, *verb, user=remote.USER)

    def test_a_user_looks_and_a_group_gives_more_without_a_restart(self):
        self.assertEqual(self.as_user("list")[0], 0)
        self.assertEqual(self.as_user("cancel"),
                         (4, "", "stillboot: this needs the role boot, and the caller has the role look\n"
                                 "Root has every role; how others get one: man io.stillboot\n"))
        self.wait_for_log("was refused io.stillboot.Cancel: it needs the role boot and has the role look")
        self.groups.write_text(f"root:x:0:\nstillboot-boot:x:{remote.USER}:\n")
        self.assertEqual(self.as_user("cancel")[0], 0)
        self.assertEqual(self.as_user("reboot")[0], 4)
        self.groups.write_text(f"stillboot-all:x:{remote.USER}:\n")
        self.assertEqual(self.as_user("reboot")[0], 0)

    def test_root_needs_no_group(self):
        self.assertEqual(self.stillboot(*self.host, "reboot")[0], 0)


if __name__ == "__main__":
    remote.Case.programs = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
