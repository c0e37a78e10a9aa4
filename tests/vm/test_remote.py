# SPDX-License-Identifier: Apache-2.0
"""Another machine, over a network and TLS: who is let in, who is not, and the boot that it chooses."""
import json
import os
import socket
import ssl
import subprocess

import still
from lab import TOP
from machine import PATIENCE

STILLBOOT = TOP / "build/ui/cli/stillboot"
ADDRESS = "10.0.2.15"
LISTEN = 'listen = [\\"0.0.0.0:5253\\"]'


def free_port():
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


def network(port):
    return ["-netdev", f"user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:{port}-{ADDRESS}:5253",
            "-device", "e1000e,netdev=n0,romfile="]


def listen(machine):
    """An address, keys, and a daemon that knows both. Certificates of a day are made before the clock goes on."""
    machine.sh("card=$(basename $(ls -d /sys/bus/pci/drivers/e1000e/0000:*/net/*)); ip link set $card up; "
               f"ip addr add {ADDRESS}/24 dev $card")
    machine.sh("stillboot keys init --name 127.0.0.1 >/dev/null; for who in 'anna boot 30' 'bert look 30' 'carl all 1'; do "
               "set -- $who; stillboot keys client $1 --role $2 --days $3 --out /run/$1 >/dev/null; done; "
               "date -s @$(($(date +%s) + 3 * 86400)) >/dev/null")
    machine.sh(f"echo \"{LISTEN}\" >/run/stillboot/stillboot.toml; kill {still.DAEMON}")
    machine.wait_sh("stillboot log | grep 'listens on 0.0.0.0:5253 for clients with a certificate'")
    still.wait_for_entry(machine)
    machine.wait_sh(still.LOOKED)


def fetch_keys(lab, machine, name):
    """A client's files on this side: (certificate, key, authority)."""
    paths = []
    for file in ("client.pem", "client.key", "ca.pem"):
        path = lab.directory / f"{name}-{file}"
        path.write_text(machine.sh(f"cat /run/{name}/{file}"))
        paths.append(path)
    return paths


def call(port, keys, method, **parameters):
    """What Python's own TLS gets; an SSLError where it is not let in."""
    certificate, key, authority = keys
    context = ssl.create_default_context(cafile=authority)
    context.load_cert_chain(certificate, key)
    with socket.create_connection(("127.0.0.1", port), timeout=30 * PATIENCE) as tcp:
        with context.wrap_socket(tcp, server_hostname="127.0.0.1") as tls:
            tls.sendall(json.dumps({"method": f"io.stillboot.{method}", "parameters": parameters}).encode() + b"\0")
            got = b""
            while not got.endswith(b"\0"):
                received = tls.recv(65536)
                if not received:
                    raise ConnectionError("closed without an answer")
                got += received
    return json.loads(got[:-1])


def is_refused(port, keys):
    try:
        return f"got {call(port, keys, 'GetState')}"
    except (ssl.SSLError, ConnectionError):
        return ""


def of_another_authority(lab):
    root = lab.directory / "elsewhere"
    root.mkdir()
    for words in (["init", "--name", "127.0.0.1"], ["client", "dora", "--role", "all", "--out", lab.directory / "dora"]):
        subprocess.run([STILLBOOT, "--root", root, "keys", *words], check=True, stdout=subprocess.DEVNULL)
    return lab.directory / "dora/client.pem", lab.directory / "dora/client.key"


def who_is_not_let_in(lab, machine, port, anna, bert, carl):
    told = call(port, bert, "Boot", option="the wanted one")
    lab.equal("a role that is too low is refused", (told.get("error"), told["parameters"]),
              ("io.stillboot.PermissionDenied", {"needed": "boot", "has": "look"}))
    lab.check("and may look", "the wanted one" in json.dumps(call(port, bert, "ListOptions")))
    lab.equal("an expired certificate is refused", is_refused(port, carl), "")
    lab.equal("one of another authority is refused", is_refused(port, [*of_another_authority(lab), anna[2]]), "")
    log = machine.sh("stillboot log")
    lab.check("each is logged, with its name or its address",
              "bert at 10.0.2.2:" in log and "was refused io.stillboot.Boot: it needs the role boot" in log
              and "10.0.2.2 was refused: its certificate: certificate has expired" in log
              and log.count("10.0.2.2 was refused: its certificate") == 2, log)


def test_another_machine_boots_this_one(lab):
    """over a network and TLS: a wrong, an expired and a lowly certificate are refused, and the right one boots"""
    port = free_port()
    with lab.machine(disks=still.two_disks(lab), arguments=network(port), append="stillboot.timeout=never") as machine:
        still.wait_for_entry(machine)
        listen(machine)
        anna, bert, carl = (fetch_keys(lab, machine, name) for name in ("anna", "bert", "carl"))
        who_is_not_let_in(lab, machine, port, anna, bert, carl)
        words = ["--host", f"tls://127.0.0.1:{port}", "--cert", anna[0], "--key", anna[1], "--ca", anna[2]]
        done = subprocess.run([STILLBOOT, *words, "boot", "the wanted one", "--wait"], capture_output=True, text=True,
                              timeout=60 * PATIENCE, env={**os.environ, "LC_ALL": "C"}, check=False)
        lab.equal("the program on the other machine waits, and says that this one hands over", (done.returncode, done.stderr),
                  (0, ""))
        lab.check("with how it went until there", "take-down" in done.stdout and "The machine hands over now" in done.stdout,
                  done.stdout)
        said = machine.wait_marker()
        lab.equal("what was chosen there comes up here, by kexec",
                  (said["bootloader_type"], f"nonce={lab.nonce}" in said["cmdline"]), ("208", True))
        machine.wait_off()
