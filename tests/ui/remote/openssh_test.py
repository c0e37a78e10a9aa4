#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# The socket carried by openssh itself: its client and its server with keys, users and settings of their own, without a
# port. The server is started for each connection (sshd -i) in a mount namespace where another user can log in.
import json
import os
import shutil
import subprocess
import sys
import threading
import unittest

import remote

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
SKIPPED = 77  # as meson wants it
USERS = {"root": 0, "anna": remote.USER}

CLIENT = """Host nowhere
    ProxyCommand head -n 1 >/dev/null
Host stranger
    IdentityFile {directory}/other_key
Host machine
    IdentityFile {directory}/key
Host *
    ProxyCommand {serve}
    IdentitiesOnly yes
    UserKnownHostsFile {directory}/known_hosts
    GlobalKnownHostsFile none
    StrictHostKeyChecking yes
    UpdateHostKeys no
    BatchMode yes
"""

SERVER = """HostKey {directory}/host_key
AuthorizedKeysFile {directory}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PidFile none
SetEnv PATH={directory}/there:/usr/bin:/bin
"""

# What only this server sees: the users, and the directory that it wants to be empty.
SERVE = """#!/bin/sh -e
mount -t tmpfs -o mode=755 none /run
mkdir /run/sshd
mount --bind "{directory}/passwd" /etc/passwd
exec "{sshd}" -i -f "{directory}/sshd_config" 2>>"{directory}/sshd.log"
"""


def can_serve():
    """Whether a namespace of its own can be had: root in a container may be forbidden to mount."""
    return os.getuid() == 0 and subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/run"],
                                               capture_output=True, check=False).returncode == 0


class Openssh(remote.Case):
    def setUp(self):
        super().setUp()
        self.start_daemon()
        for name in ("key", "other_key", "host_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", self.directory / name],
                           check=True)
        public = (self.directory / "host_key.pub").read_text()
        self.write("known_hosts", "".join(f"{host} {public}" for host in ("machine", "stranger")))
        self.write("authorized_keys", (self.directory / "key.pub").read_text())
        self.write("passwd", "".join(f"{name}:*:{uid}:{uid}::{self.directory}:/bin/sh\n" for name, uid in USERS.items())
                   + "sshd:*:65533:65533::/run/sshd:/bin/false\n")
        self.write("sshd_config", SERVER.format(directory=self.directory))
        serve = self.write("serve", SERVE.format(directory=self.directory, sshd=SSHD), 0o755)
        self.write("ssh_config", CLIENT.format(directory=self.directory, serve=f"unshare --mount {serve}"))
        # ssh looks for its settings in the home of the user, not in HOME.
        (self.directory / "here").mkdir()
        self.write("here/ssh", f'#!/bin/sh\nexec {shutil.which("ssh")} -F "{self.directory}/ssh_config" "$@"\n', 0o755)
        (self.directory / "there").mkdir()
        self.write("there/stillboot", f'#!/bin/sh\nexec "{self.programs[1]}" --host "unix:{self.socket}" "$@"\n', 0o755)
        self.environment["PATH"] = f"{self.directory}/here:{os.environ['PATH']}"

    def write(self, name, text, mode=0o644):
        path = self.directory / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def over_ssh(self, *words, host="root@machine"):
        status, out, err = self.stillboot("--host", f"ssh://{host}", *words)
        log = self.directory / "sshd.log"
        self.assertNotIn("error:", log.read_text() if log.exists() else "")
        return status, out, err

    def test_calls_go_there_and_back(self):
        status, out, err = self.over_ssh("--json=short", "list")
        self.assertEqual((status, err), (0, ""))
        self.assertEqual([option["title"] for option in json.loads(out)["options"]], ["Linux"])
        status, out, err = self.over_ssh("boot", "Linux", "--dry-run", "--append=quiet")
        self.assertEqual((status, err), (0, ""))
        self.assertIn("boots root=1 quiet", out)

    def test_a_boot_is_followed_and_stopped_from_there(self):
        said = []
        following = threading.Thread(target=lambda: said.append(self.over_ssh("boot", "Linux", "--wait")))
        following.start()
        self.assertEqual(self.daemon.stdout.readline(), "hand-over\n")
        self.assertEqual(self.over_ssh("cancel")[0], 0)
        following.join(30)
        self.assertEqual(said[0][0], 1)
        self.assertIn("cancelled", said[0][2])

    def test_the_role_is_that_of_the_user_over_there(self):
        self.assertEqual(self.over_ssh("list", host="anna@machine")[0], 0)
        self.assertEqual(self.over_ssh("cancel", host="anna@machine")[:2], (4, ""))
        self.wait_for_log(f"user {remote.USER} (process ")
        self.wait_for_log("was refused io.stillboot.Cancel: it needs the role boot and has the role look")
        self.groups.write_text(f"stillboot-boot:x:{remote.USER}:\n")
        self.assertEqual(self.over_ssh("cancel", host="anna@machine")[0], 0)
        self.assertEqual(self.over_ssh("reboot", host="anna@machine")[0], 4)
        self.assertEqual(self.over_ssh("reboot")[0], 0)

    def test_what_ssh_refuses_is_told_in_its_words(self):
        begin = "stillboot: {} cannot be reached by ssh: "
        for host, words in (("root@stranger", "root@stranger: Permission denied (publickey)."),
                            ("somebody@machine", "somebody@machine: Permission denied (publickey)."),
                            ("root@nowhere", "Connection closed by UNKNOWN port 65535")):
            with self.subTest(host):
                status, out, err = self.stillboot("--host", f"ssh://{host}", "list")
                self.assertEqual((status, out), (5, ""))
                self.assertEqual(err, begin.format(host.split("@")[1]) + words + "\n")
        self.write("known_hosts", "machine " + (self.directory / "other_key.pub").read_text())
        self.assertEqual(self.stillboot("--host", "ssh://root@machine", "list"),
                         (5, "", begin.format("machine") + "Host key verification failed.\n"))

    def test_where_the_program_is_missing_that_is_said(self):
        (self.directory / "there/stillboot").unlink()
        status, _, err = self.stillboot("--host", "ssh://root@machine", "list")
        self.assertEqual((status, err),
                         (5, "stillboot: machine cannot be reached by ssh: the program stillboot is not found there\n"))


if __name__ == "__main__":
    if SSHD is None or shutil.which("ssh") is None or not can_serve():
        print("needs openssh's client and server, and root in a place where it may mount")
        sys.exit(SKIPPED)
    remote.Case.programs = [os.path.abspath(program) for program in sys.argv[1:3]]  # over there, too
    unittest.main(argv=sys.argv[:1])
