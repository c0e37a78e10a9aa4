# SPDX-License-Identifier: Apache-2.0
"""What the tests with the kernel module still_test share: its devices, the rule that unbinds them, and a target."""
import re
import zlib

import disks

RULES = {"/etc/stillboot/quiesce.d/still.toml": """[[rule]]
name = "module"
driver = "still-*"
action = "unbind"
why = "what happens to them is looked at"
"""}

ENTRIES = """set default=0
menuentry 'another entry' {{ linux /boot/vmlinuz console=ttyS0 no_timer_check quiet panic=-1 other=yes
 initrd /boot/initrd.img }}
menuentry 'the wanted one' {{ linux /boot/vmlinuz console=ttyS0 no_timer_check quiet panic=-1 nonce={nonce}
 initrd /boot/initrd.img }}
"""

# The daemon answers, and does not say that it is still looking.
LOOKED = "said=$(stillboot status) && ! echo \"$said\" | grep -q '^Still looking'"

# The oldest: a child that looks at something for it has its name, too.
DAEMON = "$(pidof stillbootd | tr ' ' '\\n' | sort -n | head -n 1)"


# For tests of why something would boot: on a busy machine udev settles later than the usual 15 s, and then that is why.
UNHURRIED = "stillboot.timeout=600 stillboot.settle_deadline=600"


def setup_of(*devices):
    """Shell: makes devices, each (name, driver, how[, milliseconds]), and binds them in this order."""
    lines = [f"echo add {name} {driver} - {sum(milliseconds)} {how} >/dev/still_test; echo bind {name} >/dev/still_test"
             for name, driver, how, *milliseconds in devices]
    return "\n".join(lines) + "\n"


def grub_entry(lab, files=None):
    """A disk with two entries: 'another entry' is the default, 'the wanted one' has the nonce; files: more of them."""
    files = lab.boot_files() | {"/boot/grub/grub.cfg": ENTRIES.format(nonce=lab.nonce)} | (files or {})
    return disks.ext4(lab.directory / "target.img", disks.tree(lab.directory / "tree", files), label="target")


def store(lab):
    """A disk that is a state store, with nothing in it."""
    return disks.vfat(lab.directory / "store.img", disks.tree(lab.directory / "empty", {}), label="STILLSTATE",
                      size_mib=16)


def copies(image):
    """What the two copies on a store's disk hold: (sequence, text), or None where one is not whole."""
    found = []
    for name in ("stillboot.0", "stillboot.1"):
        path = image.with_name(name)
        disks.run("mcopy", "-n", "-o", "-i", image, f"::/{name}", path)
        head, _, text = path.read_bytes().partition(b"\n")
        match = re.fullmatch(rb"stillboot-state 1 (\d+) (\d+) ([0-9a-f]+)", head)
        text = text[:int(match[2])] if match else b""
        whole = match and zlib.crc32(match[1] + b" " + text) == int(match[3], 16)
        found.append((int(match[1]), text.decode()) if whole else None)
    return found


def two_disks(lab):
    return [(grub_entry(lab), "nvme"), (store(lab), "virtio-blk")]


def wait_for_entry(machine):
    machine.sh("true", timeout=90)
    machine.wait_sh("stillboot list | grep -q 'the wanted one'")


def wait_for_next_daemon(machine):
    """The daemon whose process is named in /tmp/old has ended, and the one that init starts then answers."""
    machine.wait_sh("[ ! -e /proc/$(cat /tmp/old) ] && stillboot status")


def end_daemon(machine, signal="TERM"):
    machine.sh(f"echo {DAEMON} >/tmp/old; kill -{signal} $(cat /tmp/old)")
    wait_for_next_daemon(machine)


def start_daemon_again(machine):
    """Another daemon, which has looked back once it has looked around."""
    end_daemon(machine)
    machine.wait_sh(LOOKED)
    wait_for_entry(machine)


def start_daemon_with(machine, store):
    """The same, whose state store is this device."""
    machine.sh(f"echo 'state_store = \"{store}\"' >/run/stillboot/stillboot.toml")
    start_daemon_again(machine)
