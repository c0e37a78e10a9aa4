#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures one scan on this machine beside a floor in the same run; prints a table and judges nothing.

The disk is an image in a file, behind a read-only loop device; mounts are made in a private mount namespace.

usage: scan_bench.py STILLBOOT-PROBE
"""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
os.environ["PATH"] += ":/usr/sbin:/sbin"
SKIPPED = 77  # what meson takes for "skipped"
ROUNDS = 60
HELPER_SOCKET = 3  # daemon/probe/helper.hpp

GRUB_CFG = """menuentry 'Entry' --class debian $menuentry_id_option 'e' {
  linux /boot/vmlinuz root=UUID=1 ro quiet
  initrd /boot/initrd.img
}
"""


def why_not():
    """An empty string, or why nothing can be measured here."""
    missing = [name for name in ("mke2fs", "gcc", "losetup", "unshare") if shutil.which(name) is None]
    if missing:
        return f"needs {', '.join(missing)}"
    return "" if os.geteuid() == 0 and os.path.exists("/dev/loop-control") else "needs root and loop devices"


def make_image(directory):
    boot = directory / "tree" / "boot"
    (boot / "grub").mkdir(parents=True)
    (boot / "grub" / "grub.cfg").write_text(GRUB_CFG)
    (boot / "vmlinuz").write_text("k")
    (boot / "initrd.img").write_text("i")
    image = directory / "disk.img"
    subprocess.run(["truncate", "-s", "24M", image], check=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", directory / "tree", image], check=True)
    return image


@contextlib.contextmanager
def loop_device(image):
    node = subprocess.run(["losetup", "--read-only", "--find", "--show", image], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()
    try:
        yield node
    finally:
        subprocess.run(["losetup", "--detach", node], check=True)


def scan_once(probe, node):
    """Milliseconds from the program's start to its result, and to its end."""
    device = dict.fromkeys(("uuid", "label", "partuuid", "partlabel", "disk"), "") | {"id": "bench", "node": node}
    order = {"mode": "scan", "device": device, "path": "", "max_bytes": 0}
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    start = time.perf_counter()
    pid = os.posix_spawn(probe, [probe, node], os.environ,
                         file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), HELPER_SOCKET)])
    theirs.close()
    ours.send(json.dumps(order).encode())
    said, received, _, _ = socket.recv_fds(ours, 65536, 1)
    result = time.perf_counter() - start
    os.waitpid(pid, 0)
    end = time.perf_counter() - start
    for fd in received:
        os.close(fd)
    ours.close()
    if json.loads(said) != {"result": True}:
        raise SystemExit(f"the scan failed: {said.decode()}")
    return result * 1000, end * 1000


def start_once(program, *arguments):
    """Milliseconds of a program from its start to its end."""
    start = time.perf_counter()
    pid = os.posix_spawn(program, [program, *arguments], os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, HELPER_SOCKET, "/dev/null", os.O_RDONLY, 0)])
    os.waitpid(pid, 0)
    return (time.perf_counter() - start) * 1000


def measure(probe, floor, node):
    """The rounds of each kind take turns, so that what disturbs one disturbs the others."""
    rounds = [(start_once(probe), start_once(floor, "one", node), *scan_once(probe, node)) for _ in range(ROUNDS)]
    return [statistics.median(column) for column in zip(*rounds)]


def main():
    if reason := why_not():
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    if "STILLBOOT_BENCH_PRIVATE" not in os.environ:
        os.environ["STILLBOOT_BENCH_PRIVATE"] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])
    with tempfile.TemporaryDirectory(prefix="stillboot-bench-") as directory:
        directory = pathlib.Path(directory)
        floor = str(directory / "floor")
        subprocess.run(["gcc", "-O2", "-static", "-s", "-o", floor, HERE / "discovery_bench.c"], check=True)
        pathlib.Path("/tmp/floor").mkdir(exist_ok=True)
        with loop_device(make_image(directory)) as node:
            start, least, result, end = measure(sys.argv[1], floor, node)
    print(f"one scan of an ext4 with one entry on this machine, medians of {ROUNDS}")
    print(f"start of stillboot-probe without an order   {start:6.2f} ms")
    print(f"floor: a static program mounts and reads    {least:6.2f} ms")
    print(f"stillboot-probe, from its start to result   {result:6.2f} ms, {result / least:.1f} times the floor")
    print(f"1.5 times the floor and one start           {1.5 * least + start:6.2f} ms")
    print(f"stillboot-probe, from its start to its end  {end:6.2f} ms")


main()
