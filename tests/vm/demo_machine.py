# SPDX-License-Identifier: Apache-2.0
"""The demo machine, started on copies of its disks, and what can be seen of its way to the next system."""
import pathlib
import re

import disks
from machine import Machine


def copy_of_disks(source, directory):
    """Copies the demo's disks (sparse), for a machine to use; answers with [(image, kind)]."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    kinds = (("debian", "nvme"), ("archive", "ahci"), ("scratch", "virtio-blk"), ("stick", "usb"))
    for name, _ in kinds:
        disks.run("cp", "--sparse=always", pathlib.Path(source) / f"{name}.img", directory / f"{name}.img")
    return [(directory / f"{name}.img", kind) for name, kind in kinds]


def network_cards():
    arguments = []
    for number, model in enumerate(("e1000e", "virtio-net-pci")):
        arguments += ["-netdev", f"user,id=net{number},restrict=on",
                      "-device", f"{model},netdev=net{number},romfile="]
    return arguments


def demo_machine(directory, kernel, initrd, source, append="", **options):
    return Machine(pathlib.Path(directory) / "machine", kernel, initrd, append=append, memory=2048, limit=420,
                   disks=copy_of_disks(source, pathlib.Path(directory) / "disks"), arguments=network_cards(),
                   **options)


def follow_to_login(machine, report):
    """Waits, without a key, through firmware, hand-over and the next kernel to its login prompt.

    report(seconds, sentence) is called for each stage as it is reached.
    """
    console = machine.console
    machine.sh("true", timeout=60)
    release = machine.sh("uname -r").strip()
    report(machine.seconds, f"firmware kernel up (Linux {release})")
    console.wait_shown(r"Debian GNU/Linux", timeout=90)
    report(machine.seconds, "options found")
    countdown = console.wait_shown(r"[^|\n]*starts in \d+ second[^|\n]*", timeout=60)[0].strip()
    report(machine.seconds, f"countdown: {countdown}")
    console.expect(r"hands over to", timeout=120, what="the hand-over")
    report(machine.seconds, "the countdown has ended, kernel and initramfs are in memory, the hand-over goes on")
    # The jump may come before the menu has written its last line.
    console.expect(r"jumping after|(?=\] Linux version )", timeout=120, what="the jump")
    unbound = len(set(re.findall(r"unbind \d+/\d+: (\S+) \(", console.text)))
    report(machine.seconds, f"devices unbound: {unbound}")
    report(machine.seconds, "jump")
    console.expect(r"\] Linux version ", timeout=120, what="the next kernel")
    report(machine.seconds, "next kernel up")
    console.expect(r"login: ", timeout=240, what="the login prompt")
    report(machine.seconds, "login prompt")
    return unbound


def seen_from_inside(machine):
    """Logs in as root at the prompt; answers with the system's (bootloader_type, command line)."""
    console = machine.console
    console.send("root\n")
    console.expect(r"# ", timeout=60, what="a root shell in the next system")
    # The quotes keep the words apart from their echo.
    console.send("echo type''=$(cat /proc/sys/kernel/bootloader_type) ; echo line''=$(cat /proc/cmdline)=end\n")
    kind = console.expect(r"type=(\d+)\r?\n", timeout=60)[1].decode()
    line = console.expect(r"(?s)line=(.*?)=end", timeout=60)[1].decode().replace("\r", "").replace("\n", "")
    return kind, line
