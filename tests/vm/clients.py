# SPDX-License-Identifier: Apache-2.0
"""Clients of the socket that nobody here wrote, taken into a machine: Python's standard library and varlinkctl."""
import pathlib
import re
import shutil
import subprocess

import lab as surroundings

# Speaks varlink with the standard library alone: call METHOD JSON; stream METHOD JSON, a reply a line to the end.
CALL = r'''
import json, socket, sys
verb, method, parameters = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
connection.connect("/run/stillboot/io.stillboot")
message = {"method": method, "parameters": parameters}
if verb == "stream":
    message["more"] = True
connection.sendall(json.dumps(message).encode() + b"\0")
pending = b""
while True:
    data = connection.recv(65536)
    if not data:
        sys.exit("the connection ended")
    pending += data
    while b"\0" in pending:
        frame, pending = pending.split(b"\0", 1)
        reply = json.loads(frame)
        if verb == "stream" and "error" not in reply and method.endswith(".Boot"):
            progress = reply["parameters"].get("progress")
            print(progress["step"] + ": " + progress["message"]["text"] if progress else "accepted", flush=True)
        else:
            print(json.dumps(reply), flush=True)
        if not reply.get("continues"):
            sys.exit(1 if "error" in reply else 0)
'''


def shared_objects(libraries, programs):
    """The files under a directory of libraries that programs need, and those that these need."""
    found, ahead = {}, list(programs)
    while ahead:
        headers = subprocess.run(["objdump", "-p", ahead.pop()], check=True, stdout=subprocess.PIPE, text=True).stdout
        for name in re.findall(r"^ *NEEDED +(\S+)", headers, re.MULTILINE):
            if name not in found:
                # systemd keeps its own in a folder below.
                found[name] = next(path for path in (libraries / name, libraries / "systemd" / name) if path.exists())
                ahead.append(found[name])
    return found.values()


def initramfs(lab, firmware):
    """The firmware's initramfs with the clients under /clients, as a second archive behind it."""
    root = pathlib.Path(subprocess.run([surroundings.TOP / "dev", "clients"], check=True, stdout=subprocess.PIPE,
                                       text=True).stdout.split()[-1])
    tree = lab.directory / "clients-tree"
    place = tree / "clients"
    (place / "usr/bin").mkdir(parents=True)
    python = next((root / "usr/lib").glob("python3.*")).name
    for name in (python, "varlinkctl"):
        shutil.copy(root / "usr/bin" / name, place / "usr/bin" / name)
    (place / "usr/bin/python3").symlink_to(python)
    shutil.copytree(root / "usr/lib" / python, place / "usr/lib" / python, symlinks=True,
                    ignore=shutil.ignore_patterns("test", "idlelib", "__pycache__", "lib2to3", "pydoc_data"))
    libraries = root / "usr/lib/x86_64-linux-gnu"
    target = place / "usr/lib/x86_64-linux-gnu"
    modules = root / "usr/lib" / python / "lib-dynload"
    for path in shared_objects(libraries, [root / "usr/bin" / python, root / "usr/bin/varlinkctl",
                                           *modules.glob("*.so")]):
        copy = target / path.relative_to(libraries)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    shutil.copytree(root / "usr/lib64", place / "usr/lib64", symlinks=True)
    for link in ("bin", "lib", "lib64"):
        (place / link).symlink_to(f"usr/{link}")
    for name in ("run", "proc", "dev", "tmp"):
        (place / name).mkdir()
    (place / "call.py").write_text(CALL)
    names = "\n".join(str(path.relative_to(tree)) for path in [place, *sorted(place.rglob("*"))])
    archive = lab.directory / "firmware-with-clients.cpio"
    shutil.copy(firmware, archive)
    with open(archive, "r+b") as out:
        out.seek(0, 2)
        out.write(b"\0" * (-out.tell() % 512))
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], input=names.encode(), cwd=tree,
                       stdout=out, check=True)
    shutil.rmtree(tree)
    return archive


def ready(machine):
    """Makes the clients usable and waits for the daemon."""
    machine.sh("for d in run proc dev; do mount --bind /$d /clients/$d; done")
    machine.wait_sh("[ -S /run/stillboot/io.stillboot ]", 120)


def call(machine, method, parameters="{}", verb="call", timeout=60, check=True):
    return machine.sh(f"chroot /clients python3 /call.py {verb} io.stillboot.{method} '{parameters}'",
                      timeout=timeout, check=check)


def varlinkctl(machine, words):
    """What varlinkctl says, without the colours that it gives a terminal."""
    return machine.sh(f"SYSTEMD_COLORS=0 chroot /clients varlinkctl {words}", timeout=60)
