# SPDX-License-Identifier: Apache-2.0
"""Disks and network interfaces that come and go while the menu is up."""
import disks

PORTS = [word for number in (1, 2, 3) for word in
         ("-device", f"pcie-root-port,id=port{number},chassis={number},slot={number}")]


def add(machine, name, image, port):
    machine.monitor("blockdev-add", **{"node-name": name, "driver": "raw",
                                       "file": {"driver": "file", "filename": str(image)}})
    machine.monitor("device_add", driver="nvme", id=name, drive=name, serial=name, bus=port)


def test_disks_come_and_go(lab):
    """a disk hot-added and one removed while the menu is up, the second holding what the first searches for"""
    uuid = disks.new_uuid()
    # The first disk's configuration, and nothing else; the kernel is on a disk that comes later.
    config = disks.tree(lab.directory / "first", {"/boot/grub/grub.cfg": f"""
search --no-floppy --fs-uuid --set=root {uuid}
menuentry 'On the second disk' {{
    linux /boot/vmlinuz console=ttyS0 no_timer_check quiet panic=-1 nonce={lab.nonce}
    initrd /boot/initrd.img
}}
"""})
    second = disks.ext4(lab.directory / "second.img", disks.tree(lab.directory / "second", lab.boot_files()), uuid=uuid,
                        label="second")
    other = disks.ext4(lab.directory / "other.img", disks.tree(lab.directory / "other", {
        **lab.boot_files(), "/boot/grub/grub.cfg":
        "menuentry 'On the other disk' { linux /boot/vmlinuz console=ttyS0 no_timer_check quiet panic=-1\n"
        "initrd /boot/initrd.img\n}\n"}), label="other")
    image = disks.ext4(lab.directory / "first.img", config, label="first")
    with lab.machine(disks=[(image, "virtio-blk")], arguments=PORTS, append="stillboot.timeout=never stillboot.log_level=debug",
                     limit=420) as machine:
        console = machine.console
        console.wait_screen(r"On the second disk", timeout=150)
        said = machine.sh("stillboot list --json=short")
        lab.check("the entry waits for its disk, by name", '"waiting"' in said and uuid in said, said)
        add(machine, "other", other, "port1")
        console.wait_screen(r"On the other disk", timeout=90)
        lab.check("a disk that is added shows its entry", True)
        machine.monitor("device_del", id="other")
        machine.wait_sh("listed=$(stillboot list) && ! echo \"$listed\" | grep 'other disk'")
        console.wait_until(lambda: "On the other disk" not in "\n".join(console.screen()), "its entry's absence")
        lab.check("a disk that is removed takes its entry along, in the menu too", True)
        machine.monitor("device_add", driver="virtio-net-pci", id="nic", bus="port3", romfile="")
        machine.wait_sh("stillboot log | grep -E 'network interface e[a-z0-9]+ came'")
        machine.monitor("device_del", id="nic")
        machine.wait_sh("stillboot log | grep -E 'network interface e[a-z0-9]+ went'")
        lab.check("a network interface is seen to come and go", True)
        add(machine, "second", second, "port2")
        machine.wait_sh("stillboot list --json=short | grep '\"ready\"'")
        lab.check("the entry is ready when its disk has come", True)
        machine.sh("(stillboot boot 'On the second disk' >/dev/null 2>&1 &)")
        said = machine.wait_marker()
        lab.equal("kexec started it", said["bootloader_type"], "208")
        lab.equal("with the first disk's command line", said["cmdline"],
                  f"console=ttyS0 no_timer_check quiet panic=-1 nonce={lab.nonce}")
        machine.wait_off()
