#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From `boot` at a client until the daemon begins the hand-over, over TLS on the loopback beside the Unix socket: the
program as a person starts it, and a call on a connection that is open already (Python's ssl). Prints a table; it judges
nothing. The daemon is the real server with its TLS helper; its hand-over says when it is begun, and waits.

usage: remote_bench.py REMOTE_DAEMON STILLBOOT
"""
import json
import os
import pathlib
import re
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROUNDS = 40


class Daemon:
    def __init__(self, program, stillboot, directory):
        self.stillboot = stillboot
        self.directory = pathlib.Path(directory)
        self.environment = {**os.environ, "HOME": directory, "XDG_CONFIG_HOME": f"{directory}/config", "LC_ALL": "C"}
        os.makedirs(f"{directory}/root")
        os.makedirs(f"{directory}/config")
        keys = [stillboot, "--root", f"{directory}/root", "keys"]
        subprocess.run([*keys, "init", "--name", "127.0.0.1"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*keys, "client", "anna", "--role", "boot", "--out", f"{directory}/config/stillboot"], check=True,
                       stdout=subprocess.DEVNULL)
        (self.directory / "group").write_text("root:x:0:\n")
        self.process = subprocess.Popen([program, f"{directory}/socket", f"{directory}/group",
                                         f"{directory}/root/etc/stillboot/tls"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.wait_for("ready")
        self.port = self.wait_for_port()

    def wait_for(self, line):
        while self.process.stdout.readline().strip() != line:
            if self.process.poll() is not None:
                sys.exit(f"the daemon ended with status {self.process.returncode}")

    def wait_for_port(self):
        for line in self.process.stderr:
            if found := re.search(r"listens on 127\.0\.0\.1:(\d+)", line):
                # What else it logs is read by nobody, and must not hold it up.
                threading.Thread(target=self.process.stderr.read).start()
                return int(found[1])
        sys.exit("the daemon does not listen for TLS")

    def stop(self):
        self.process.stdin.close()
        self.process.wait(20)

    def timed(self, order):
        """Seconds from the order to the hand-over's begin; it is cancelled then."""
        begin = time.perf_counter()
        order()
        self.wait_for("hand-over")
        took = time.perf_counter() - begin
        self.run_program(f"unix:{self.directory}/socket", "cancel")
        self.wait_for("cancelled")
        return took

    def run_program(self, host, *words):
        subprocess.run([self.stillboot, "--host", host, *words], env=self.environment, check=True,
                       stdout=subprocess.DEVNULL)

    def start_program(self, host):
        started = subprocess.Popen([self.stillboot, "--host", host, "boot", "Linux"], env=self.environment,
                                   stdout=subprocess.DEVNULL)
        self.started.append(started)

    def program(self, host):
        self.started = []
        took = [self.timed(lambda: self.start_program(host)) for _ in range(ROUNDS)]
        for each in self.started:
            each.wait()
        return took

    def connection(self, connected):
        message = json.dumps({"method": "io.stillboot.Boot", "parameters": {"option": "Linux"}}).encode() + b"\0"

        def order():
            connected.sendall(message)
        took = []
        for _ in range(ROUNDS):
            took.append(self.timed(order))
            while not connected.recv(65536).endswith(b"\0"):
                pass
        return took


def line(name, took):
    took = sorted(second * 1000 for second in took)
    print(f"| {name:44} | {statistics.median(took):6.2f} ms | {took[int(len(took) * 0.9)]:6.2f} ms |")


def main():
    with tempfile.TemporaryDirectory() as directory:
        daemon = Daemon(*sys.argv[1:3], directory)
        unix, tls = f"unix:{directory}/socket", f"tls://127.0.0.1:{daemon.port}"
        own = pathlib.Path(directory) / "config/stillboot"
        context = ssl.create_default_context(cafile=str(own / "ca.pem"))
        context.load_cert_chain(str(own / "client.pem"), str(own / "client.key"))
        print(f"| {'from boot to the first step':44} |    median | 9 in 10   |")
        print(f"| {'---':44} | --------- | --------- |")
        with socket.socket(socket.AF_UNIX) as local:
            local.connect(f"{directory}/socket")
            line("an open connection, Unix socket", daemon.connection(local))
        with socket.create_connection(("127.0.0.1", daemon.port)) as tcp:
            with context.wrap_socket(tcp, server_hostname="127.0.0.1") as remote:
                line("an open connection, TLS (at most 20 ms)", daemon.connection(remote))
        line("stillboot boot, Unix socket", daemon.program(unix))
        line("stillboot boot, TLS, with its handshake", daemon.program(tls))
        daemon.stop()


main()
