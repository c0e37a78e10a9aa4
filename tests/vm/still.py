# SPDX-License-Identifier: Apache-2.0
"""What the tests with the kernel module still_test share: its devices, the rule that unbinds them, and a target."""
import disks

RULES = {"/etc/stillboot/quiesce.d/still.toml": """[[rule]]
name = "module"
driver = "still-*"
action = "unbind"
why = "what happens to them is looked at"
"""}

ENTRIES = """set default=0
menuentry 'another entry' {{ linux /boot/vmlinuz console=ttyS0 quiet panic=-1 other=yes
 initrd /boot/initrd.img }}
menuentry 'the wanted one' {{ linux /boot/vmlinuz console=ttyS0 quiet panic=-1 nonce={nonce}
 initrd /boot/initrd.img }}
"""

LOOKED = "! stillboot status | grep -q '^Still looking'"


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


def two_disks(lab):
    return [(grub_entry(lab), "nvme"), (store(lab), "virtio-blk")]


def wait_for_entry(machine):
    machine.sh("true", timeout=90)
    machine.wait_sh("stillboot list | grep -q 'the wanted one'")


def start_daemon_with(machine, store):
    """Another daemon, whose state store is this device; it has looked back once it has looked around."""
    machine.sh(f"echo 'state_store = \"{store}\"' >/run/stillboot/stillboot.toml; pidof stillbootd >/tmp/old; "
               "kill $(cat /tmp/old)")
    machine.wait_sh("[ \"$(pidof stillbootd)\" != \"$(cat /tmp/old)\" ] && stillboot status")
    machine.wait_sh(LOOKED)
    wait_for_entry(machine)
