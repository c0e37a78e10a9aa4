# SPDX-License-Identifier: Apache-2.0
# A daemon without devices and the program stillboot, as processes, for tests of the ways in.
import os
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

USER = 12345


class Case(unittest.TestCase):
    """setUp starts a daemon; `programs` is [remote_daemon, stillboot]."""

    programs = []
    daemon_arguments = []

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.directory.chmod(0o755)
        self.socket = str(self.directory / "socket")
        self.groups = self.directory / "group"
        self.groups.write_text("root:x:0:\n")
        self.groups.chmod(0o644)
        self.environment = dict(os.environ, HOME=str(self.directory), XDG_CONFIG_HOME=str(self.directory / "config"),
                                LC_ALL="C")

    def start_daemon(self, *arguments):
        self.log = []
        self.daemon = subprocess.Popen([self.programs[0], self.socket, str(self.groups), *arguments],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.stop_daemon)
        self.assertEqual(self.daemon.stdout.readline(), "ready\n")
        self.logged = threading.Condition()
        self.reader = threading.Thread(target=self.read_log)
        self.reader.start()

    def read_log(self):
        for line in self.daemon.stderr:
            with self.logged:
                self.log.append(line.strip())
                self.logged.notify_all()

    def wait_for_log(self, text):
        with self.logged:
            found = self.logged.wait_for(lambda: any(text in line for line in self.log), timeout=20)
        self.assertTrue(found, f"{text!r} is not in the log: {self.log}")

    def stop_daemon(self):
        if self.daemon.stdin.closed:
            return  # a test has done so
        self.daemon.stdin.close()
        self.assertEqual(self.daemon.wait(20), 0)
        self.reader.join(20)
        self.daemon.stdout.close()
        self.daemon.stderr.close()

    def hear_of_the_jump(self, *host):
        """`boot --wait` from another machine, whose last word comes before the devices go."""
        with subprocess.Popen([self.programs[1], *host, "boot", "Linux", "--wait"], env=self.environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
            self.assertEqual(self.daemon.stdout.readline(), "hand-over\n")
            self.daemon.stdin.write("take-down\n")
            self.daemon.stdin.flush()
            out, err = waiting.communicate(timeout=20)
        self.assertEqual((waiting.returncode, err), (0, ""))
        self.assertIn("The machine hands over now, and cannot be followed any further from here.", out)

    def stillboot(self, *arguments, user=None, input=None):
        """(exit status, standard output, standard error)"""
        ids = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        done = subprocess.run([self.programs[1], *arguments], env=self.environment, capture_output=True, text=True,
                              timeout=60, input=input, **ids)
        return done.returncode, done.stdout, done.stderr
