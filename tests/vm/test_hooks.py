# SPDX-License-Identifier: Apache-2.0
"""Programs of the administrator around a boot, a script in place of a person, and events that leave the machine."""
import json
import socket

import disks
import entries

# What a hook is told, on the third serial line, which is a file here.
TELL = 'echo "hook $STILLBOOT_HOOK option=$STILLBOOT_OPTION title=$STILLBOOT_TITLE device=$STILLBOOT_DEVICE ' \
       'kernel=$STILLBOOT_KERNEL args=$STILLBOOT_ARGS attempt=$STILLBOOT_ATTEMPT reason=$STILLBOOT_REASON" >/dev/ttyS2'

HOOKS = {
    "/etc/stillboot/hooks/after-discovery.d/10-tell": TELL,
    "/etc/stillboot/hooks/before-boot.d/10-tell": TELL,
    "/etc/stillboot/hooks/before-boot.d/20-ask":
        'case $STILLBOOT_TITLE in Refused) echo "not on a working day"; exit 7 ;; Hanging) sleep 1000 & wait ;; esac',
    "/usr/lib/stillboot/hooks/before-boot.d/30-masked": "exit 1",
    "/usr/lib/stillboot/hooks/before-boot.d/30-masked": "exit 1",
    "/etc/stillboot/hooks/before-quiesce.d/10-tell": TELL + "; [ -b /dev/vda ] && [ -e /run/stillboot/handover.json ]",
    "/etc/stillboot/hooks/on-failure.d/10-tell": TELL,
}


SETTINGS = """boot = ["title=Refused wait=300", "title=Hanging wait=300", "title=Whole wait=300"]
events = ["file:/dev/ttyS3"]
[hooks]
deadline = 5
"""


def firmware_with(lab, programs, settings="", masked=()):
    """The firmware's initramfs with programs and settings in it."""
    root = disks.tree(lab.directory / "added", {
        **{path: f"#!/bin/sh\n{text}\n" for path, text in programs.items()},
        "/etc/stillboot/stillboot.toml": settings})
    for path in programs:
        (root / path[1:]).chmod(0o755)
    for path in masked:
        (root / path[1:]).symlink_to("/dev/null")
    added = disks.cpio(lab.directory / "added.cpio", root)
    together = lab.directory / "with-added.cpio"
    kernel, initrd = lab.firmware()
    together.write_bytes(open(initrd, "rb").read() + open(added, "rb").read())
    return kernel, together


def disk(lab, label, files, kind):
    return disks.ext4(lab.directory / f"{label}.img", disks.tree(lab.directory / label, files), label=label), kind


def serial_file(lab, name):
    path = lab.directory / name
    return path, ["-chardev", f"file,id={name},path={path}", "-serial", f"chardev:{name}"]


def hook_lines(path):
    """{(point, title): line}"""
    found = {}
    for line in path.read_text(errors="replace").replace("\r", "").splitlines():
        if line.startswith("hook "):
            title = line.split(" title=")[1].split(" device=")[0]
            found[line.split()[1], title] = line
    return found


def test_hooks_refuse_and_hang_and_are_told(lab):
    """hooks of all four points run with their environment; one that refuses and one that hangs are followed by the next boot"""
    kernel, initrd = firmware_with(lab, HOOKS, SETTINGS, ["/etc/stillboot/hooks/before-boot.d/30-masked"])
    hooks, third = serial_file(lab, "hooks")
    told, fourth = serial_file(lab, "events")
    images = [disk(lab, "one", dict([entries.bls("Refused")]) | lab.boot_files(), "ahci"),
              disk(lab, "two", dict([entries.bls("Hanging")]) | lab.boot_files(), "virtio-blk"),
              disk(lab, "three", dict([entries.bls("Whole", options=f"nonce={lab.nonce}")]) | lab.boot_files(), "nvme")]
    with lab.machine(kernel=kernel, initrd=initrd, disks=images, arguments=third + fourth,
                     append="stillboot.timeout=1") as machine:
        said = machine.wait_marker(timeout=150)
        lab.equal("what no hook refuses boots, by kexec", (said["bootloader_type"], f"nonce={lab.nonce}" in said["cmdline"]),
                  ("208", True))
        machine.wait_off()
    lines = hook_lines(hooks)
    lab.check("a hook after the discovery knows what would boot",
              " title=Refused device=/dev/sda kernel=/boot/vmlinuz args=" in lines.get(("after-discovery", "Refused"), ""), lines)
    for title in ("Refused", "Hanging", "Whole"):
        lab.check(f"before the boot of {title} its hook ran", "attempt=1" in lines.get(("before-boot", title), ""), lines)
    lab.check("with the command line", f"nonce={lab.nonce}" in lines.get(("before-boot", "Whole"), ""), lines)
    lab.equal("only what was not refused came to the hooks before the devices go",
              [title for point, title in lines if point == "before-quiesce"], ["Whole"])
    lab.check("a failure's hook has the refusal as its reason",
              "reason=the hook 20-ask of before-boot failed: not on a working day (status 7)"
              in lines.get(("on-failure", "Refused"), ""), lines)
    lab.check("and one that hangs was ended by its deadline",
              "reason=the hook 20-ask of before-boot failed: it had not ended after 5 s"
              in lines.get(("on-failure", "Hanging"), ""), lines)
    events = [json.loads(line) for line in told.read_text().splitlines()]
    lab.equal("the events tell which entry was booted and why others were not",
              [(event["event"], event.get("title"), event.get("code")) for event in events
               if event["event"] in ("boot-begun", "boot-failed", "jump")],
              [("boot-begun", "Refused", None), ("boot-failed", "Refused", "handover.hook_failed"),
               ("boot-begun", "Hanging", None), ("boot-failed", "Hanging", "handover.hook_failed"),
               ("boot-begun", "Whole", None), ("jump", "Whole", None)])
    lab.equal("each is numbered", [event["seq"] for event in events], list(range(1, len(events) + 1)))


def test_a_script_boots_and_syslog_is_told(lab):
    """stillboot.script= boots what it chooses while the countdown waits; datagrams of syslog tell of it before the jump"""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    script = ("echo begins; [ \"$(stillboot status | grep -c 'the script label=two:/boot.sh runs')\" = 1 ] || exit 1\n"
              # The hook beside it has set up the card, and the card has a link: a datagram before that is lost.
              "for i in $(seq 100); do ping -c 1 -W 1 10.0.2.2 >/dev/null 2>&1 && break; sleep 1; done\n"
              f"stillboot boot Chosen --append nonce={lab.nonce}\n")
    images = [disk(lab, "one", dict([entries.bls("Default")]) | lab.boot_files(), "ahci"),
              disk(lab, "two", dict([entries.bls("Chosen")]) | lab.boot_files() | {"/boot.sh": script}, "virtio-blk")]
    card = "card=$(basename $(ls -d /sys/bus/pci/drivers/e1000e/0000:*/net/*)); ip link set $card up; " \
           "ip addr add 10.0.2.15/24 dev $card"
    kernel, initrd = firmware_with(lab, {"/etc/stillboot/hooks/after-discovery.d/network": card})
    network = ["-netdev", "user,id=n0", "-device", "e1000e,netdev=n0,romfile="]
    with lab.machine(kernel=kernel, initrd=initrd, disks=images, arguments=network,
                     append=f"stillboot.timeout=1 stillboot.script=label=two:/boot.sh "
                            f"stillboot.events=syslog:10.0.2.2:{server.getsockname()[1]}") as machine:
        said = machine.wait_marker(timeout=120)
        lab.equal("the script's choice boots, with what it appended",
                  (said["bootloader_type"], f"nonce={lab.nonce}" in said["cmdline"]), ("208", True))
        machine.wait_off()
    server.settimeout(1)
    datagrams = []
    try:
        while True:
            datagrams.append(server.recv(65536).decode())
    except TimeoutError:
        pass
    lab.check("each datagram has the header of RFC 5424",
              datagrams and all(datagram.startswith(("<30>1 ", "<28>1 ")) for datagram in datagrams), datagrams)
    events = [json.loads(datagram.split(" - ", 1)[1]) for datagram in datagrams]
    begun = [event for event in events if event["event"] == "boot-begun"]
    lab.check("one boot was begun, by a client", len(begun) == 1 and begun[0]["title"] == "Chosen"
              and begun[0]["by"].startswith("user 0 "), events)
    lab.equal("the last that was told is the jump", (events[-1]["event"], events[-1]["title"]), ("jump", "Chosen"))
