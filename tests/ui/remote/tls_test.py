#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# The socket over TLS: keys made by the program, and a client that nobody here wrote (Python's ssl) beside ours.
import json
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
import unittest
from pathlib import Path

import remote


class Tls(remote.Case):
    def setUp(self):
        super().setUp()
        self.root = self.directory / "root"
        self.root.mkdir()
        self.keys = self.root / "etc/stillboot/tls"
        status, _, err = self.stillboot("--root", str(self.root), "keys", "init", "--name", "127.0.0.1")
        self.assertEqual((status, err), (0, ""))
        self.own = self.directory / "config/stillboot"
        self.own.parent.mkdir()
        self.client("anna", "boot", self.own)
        self.start_daemon(str(self.keys))
        self.wait_for_log("for clients with a certificate")
        self.port = int(re.search(r"listens on 127\.0\.0\.1:(\d+)", "\n".join(self.log))[1])
        self.host = ["--host", f"tls://127.0.0.1:{self.port}"]

    def client(self, name, role, directory, *more):
        result = self.stillboot("--root", str(self.root), "keys", "client", name, "--role", role, "--out",
                                str(directory), *more)
        self.assertEqual((result[0], result[2]), (0, ""))

    def test_the_keys_are_where_they_should_be_and_nobody_else_reads_them(self):
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for place in (self.keys, self.own)
                 for path in place.iterdir()}
        self.assertEqual(modes, {"ca.key": 0o600, "ca.pem": 0o644, "server.key": 0o600, "server.pem": 0o644,
                                 "client.key": 0o600, "client.pem": 0o644})
        self.assertEqual(stat.S_IMODE(self.own.stat().st_mode), 0o700)

    def test_an_authority_is_not_replaced_by_mistake(self):
        before = (self.keys / "ca.key").read_text()
        status, _, err = self.stillboot("--root", str(self.root), "keys", "init")
        self.assertEqual((status, err), (4, "stillboot: /etc/stillboot/tls/ca.key is there already: --again makes a new "
                                            "authority, and every certificate of the old one is worth nothing then\n"))
        self.assertEqual((self.keys / "ca.key").read_text(), before)
        for name in ("ca.key", "ca.pem"):  # the first kept elsewhere, the second lost
            (self.keys / name).rename(self.keys / f"{name}.away")
            status, _, err = self.stillboot("--root", str(self.root), "keys", "init")
            left = {"ca.key": "ca.pem", "ca.pem": "server.pem"}[name]
            self.assertEqual((status, err.split(" is there")[0]), (4, f"stillboot: /etc/stillboot/tls/{left}"))
        self.assertEqual(self.stillboot("--root", str(self.root), "keys", "init", "--again")[0], 0)
        self.assertNotEqual((self.keys / "ca.key").read_text(), before)

    def test_without_an_authority_no_client_is_made(self):
        status, _, err = self.stillboot("--root", str(self.directory), "keys", "client", "bert", "--role", "look")
        self.assertEqual((status, err), (1, "stillboot: this machine has no authority yet (/etc/stillboot/tls/ca.key): "
                                            "stillboot keys init makes it\n"))

    def test_names_roles_and_lifetimes_are_checked(self):
        keys = ["--root", str(self.root), "keys", "client"]
        self.assertEqual(self.stillboot(*keys, "bert", "--role", "root")[0], 2)
        self.assertEqual(self.stillboot(*keys, "bert")[0], 2)
        self.assertEqual(self.stillboot(*keys, "bert", "--role", "look", "--days", "0")[0], 2)
        self.assertEqual(self.stillboot(*keys, "../bert", "--role", "look")[0], 1)
        self.assertEqual(self.stillboot("keys")[0], 2)

    def test_a_client_does_what_its_role_permits(self):
        status, out, err = self.stillboot(*self.host, "--json=short", "list")
        self.assertEqual((status, err), (0, ""))
        self.assertEqual([option["title"] for option in json.loads(out)["options"]], ["Linux"])
        self.assertEqual(self.stillboot(*self.host, "boot", "Linux")[0], 0)
        self.wait_for_log("Linux was chosen by anna at 127.0.0.1:")

    def test_who_waits_for_a_boot_hears_that_the_machine_hands_over(self):
        self.hear_of_the_jump(*self.host)

    def test_a_role_that_is_too_low_is_refused_and_logged(self):
        look = self.directory / "look"
        self.client("bert", "look", look)
        own = ["--cert", str(look / "client.pem"), "--key", str(look / "client.key"), "--ca", str(look / "ca.pem")]
        self.assertEqual(self.stillboot(*self.host, *own, "list")[0], 0)
        self.assertEqual(self.stillboot(*self.host, *own, "boot", "Linux")[::2],
                         (4, "stillboot: this needs the role boot, and the caller has the role look\n"
                             "Root has every role; how others get one: man io.stillboot\n"))
        self.wait_for_log("was refused io.stillboot.Boot: it needs the role boot and has the role look")
        self.assertTrue(any("bert at 127.0.0.1:" in line for line in self.log))

    def test_another_machines_client_is_refused_in_words_and_logged(self):
        other = self.directory / "other"
        other.mkdir()
        self.assertEqual(self.stillboot("--root", str(other), "keys", "init")[0], 0)
        shutil.rmtree(self.own)
        self.assertEqual(self.stillboot("--root", str(other), "keys", "client", "anna", "--role", "all", "--out",
                                        str(self.own))[0], 0)
        shutil.copy(self.keys / "ca.pem", self.own / "ca.pem")
        status, out, err = self.stillboot(*self.host, "list")
        self.assertEqual((status, out), (5, ""))
        self.assertIn("stillboot: 127.0.0.1 cannot be reached by TLS: it ", err)
        self.wait_for_log("127.0.0.1 was refused: its certificate: ")

    def test_without_a_certificate_of_ones_own_that_is_said(self):
        shutil.rmtree(self.own)
        status, out, err = self.stillboot(*self.host, "list")
        self.assertEqual((status, out), (1, ""))
        self.assertEqual(err, f"stillboot: {self.own}/client.pem cannot be used for TLS: No such file or directory\n")

    def context(self, certificate=True):
        context = ssl.create_default_context(cafile=str(self.keys / "ca.pem"))
        if certificate:
            context.load_cert_chain(str(self.own / "client.pem"), str(self.own / "client.key"))
        return context

    def exchange(self, context):
        """What a stranger's client gets."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as tcp:
            with context.wrap_socket(tcp, server_hostname="127.0.0.1") as tls:
                tls.sendall(b'{"method":"io.stillboot.GetState"}\0')
                got = b""
                while not got.endswith(b"\0"):
                    got += tls.recv(65536) or self.fail("closed")
                return tls.version(), json.loads(got[:-1])

    def test_pythons_own_tls_is_a_client(self):
        version, reply = self.exchange(self.context())
        self.assertEqual(version, "TLSv1.3")
        self.assertIn("state", reply["parameters"])

    def test_one_certificate_does_not_take_every_place(self):
        opened = []
        self.addCleanup(lambda: [each.close() for each in opened])
        for _ in range(32):
            tcp = socket.create_connection(("127.0.0.1", self.port), timeout=20)
            opened.append(self.context().wrap_socket(tcp, server_hostname="127.0.0.1"))
            opened[-1].sendall(b'{"method":"io.stillboot.GetState"}\0')
            self.assertIn(b"state", opened[-1].recv(65536))
        status, out, err = self.stillboot(*self.host, "list")
        self.assertEqual((status, out), (4, ""))
        self.assertIn("32 connections of this user or certificate are open", err)
        self.wait_for_log("was turned away: 32 connections of this user or certificate are open")
        look = self.directory / "look"
        self.client("bert", "look", look)
        own = ["--cert", str(look / "client.pem"), "--key", str(look / "client.key"), "--ca", str(look / "ca.pem")]
        self.assertEqual(self.stillboot(*self.host, *own, "list")[0], 0)

    def test_an_older_tls_is_refused_and_logged(self):
        context = self.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.exchange(context)
        self.wait_for_log("127.0.0.1 was refused: it has no TLS 1.3")

    def test_a_client_without_a_certificate_is_refused_and_logged(self):
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.exchange(self.context(certificate=False))
        self.wait_for_log("127.0.0.1 was refused: it showed no certificate")

    def connections(self):
        """(timer, its seconds) of each established connection to or from the port; proc_net_tcp: 02 is keep-alive."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        port = f":{self.port:04X}"
        found = [row[5].split(":") for row in rows if row[3] == "01" and (row[1] + " " + row[2]).find(port) >= 0]
        return [(timer, int(left, 16) / os.sysconf("SC_CLK_TCK")) for timer, left in found]

    def test_both_sides_find_out_when_the_other_one_is_gone_without_a_word(self):
        with subprocess.Popen([self.programs[1], *self.host, "log", "--follow"], env=self.environment,
                              stdout=subprocess.PIPE, text=True) as watch:
            self.assertNotEqual(watch.stdout.readline(), "")
            for _ in range(100):
                found = self.connections()
                if all(timer == "02" for timer, _ in found):
                    break
                time.sleep(0.1)  # what was sent last is not acknowledged yet
            watch.terminate()
        self.assertEqual(len(found), 2)
        for timer, left in found:
            self.assertEqual(timer, "02")
            self.assertLess(left, 60)

    def helper(self):
        """The process that takes clients, a child of the daemon; none while it is started again."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                pid, name, parent = re.match(r"(\d+) \((.*)\) \S (\d+)", entry.read_text()).groups()
            except OSError:
                continue  # it has ended
            if name == "stillboot-tls" and int(parent) == self.daemon.pid:
                found.append(int(pid))
        return found

    def test_a_helper_that_dies_takes_its_clients_along_and_another_comes(self):
        watch = subprocess.Popen([self.programs[1], *self.host, "log", "--follow"], env=self.environment,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertNotEqual(watch.stdout.readline(), "")
        before = self.helper()
        self.assertEqual(len(before), 1)
        os.kill(before[0], signal.SIGKILL)
        _, err = watch.communicate(timeout=20)
        self.assertIn("connection", err)
        self.wait_for_log("clients over TLS are cut off, and the helper is started again: ")
        with self.logged:
            again = self.logged.wait_for(lambda: sum("listens on" in line for line in self.log) == 2, timeout=20)
        self.assertTrue(again)
        port = int(re.findall(r"listens on 127\.0\.0\.1:(\d+)", "\n".join(self.log))[-1])
        self.assertEqual(self.stillboot("--host", f"tls://127.0.0.1:{port}", "list")[0], 0)
        self.assertNotEqual(self.helper(), before)

    def test_the_helper_has_no_capability_but_to_listen_and_no_files(self):
        helper = self.helper()[0]
        status = dict(line.split(":", 1) for line in open(f"/proc/{helper}/status", encoding="ascii"))
        allowed = 1 << 10 if os.geteuid() == 0 else 0  # CAP_NET_BIND_SERVICE
        self.assertEqual(int(status["CapEff"], 16) & ~allowed, 0)
        self.assertEqual(int(status["CapPrm"], 16) & ~allowed, 0)
        self.assertEqual(status["NoNewPrivs"].strip(), "1")
        if os.geteuid() == 0:
            self.assertEqual(os.listdir(f"/proc/{helper}/root"), [])

    def test_keys_that_are_not_there_are_said_and_nothing_is_tried_again(self):
        self.stop_daemon()
        shutil.rmtree(self.keys)
        self.start_daemon(str(self.keys))
        self.wait_for_log(f"no client is taken on 127.0.0.1:0: {self.keys}/server.pem cannot be used for TLS: ")
        time.sleep(1.5)  # a helper that crashes would be started again after one second
        self.assertEqual(sum("no client is taken" in line for line in self.log), 1)
        self.assertEqual(self.helper(), [])

    def test_strangers_who_come_again_and_again_do_not_fill_the_log(self):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", self.port), timeout=20) as tcp:
                tcp.sendall(b"GET / HTTP/1.1\r\n\r\n")
                while True:
                    try:
                        if not tcp.recv(100):
                            break
                    except ConnectionError:
                        break
        self.wait_for_log("127.0.0.1 was refused: it does not speak TLS")
        self.assertEqual(self.stillboot(*self.host, "boot", "Linux")[0], 0)
        self.wait_for_log("Linux was chosen")
        self.assertEqual(sum("was refused" in line for line in self.log), 5)


if __name__ == "__main__":
    remote.Case.programs = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
