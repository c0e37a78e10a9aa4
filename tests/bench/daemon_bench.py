#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From the start of stillbootd until its socket answers, beside an empty program with the same libraries, and what
the idle daemon keeps in memory. Prints a table; it judges nothing. No device is looked into: the helpers are hidden.

usage: daemon_bench.py STILLBOOTD EMPTY
"""
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 15


def seconds_of(command):
    begin = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begin


def answers(path):
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path)
        except OSError:
            return False
        connection.sendall(b'{"method":"org.varlink.service.GetInfo"}\0')
        return connection.recv(4096).startswith(b"{")


def start_daemon(program, directory):
    """(seconds until the socket answers, resident kilobytes of which those of its own)"""
    path = str(pathlib.Path(directory) / "socket")
    begin = time.perf_counter()
    daemon = subprocess.Popen([program, f"--socket={path}", f"--root={directory}", "--log=none"],
                              env={**os.environ, "STILLBOOT_LIBEXEC": "/nonexistent"})
    while not answers(path):
        if daemon.poll() is not None:
            sys.exit(f"{program} ended with status {daemon.returncode}")
    took = time.perf_counter() - begin
    time.sleep(0.2)  # what it does at its start is over by then
    status = dict(line.split(":\t") for line in pathlib.Path(f"/proc/{daemon.pid}/status").read_text().splitlines()
                  if line.startswith(("VmRSS", "RssAnon")))
    daemon.send_signal(signal.SIGTERM)
    daemon.wait()
    return took, int(status["VmRSS"].split()[0]), int(status["RssAnon"].split()[0])


def main():
    program, empty = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as directory:
        floor = statistics.median(seconds_of([empty]) for _ in range(ROUNDS))
        runs = [start_daemon(program, directory) for _ in range(ROUNDS)]
    took = statistics.median(run[0] for run in runs)
    print(f"{'an empty program, start to end':42} {floor * 1000:8.1f} ms")
    print(f"{'stillbootd, start to its socket answering':42} {took * 1000:8.1f} ms")
    print(f"{'stillbootd, resident':42} {statistics.median(run[1] for run in runs) / 1024:8.2f} MB")
    print(f"{'  of which its own (anonymous)':42} {statistics.median(run[2] for run in runs) / 1024:8.2f} MB")


main()
