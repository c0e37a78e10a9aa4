# SPDX-License-Identifier: Apache-2.0
"""The machine room itself: does a machine start, find its hardware, and jump by plain kexec?"""
import disks
import entries

KINDS = ("nvme", "ahci", "virtio-blk", "usb", "scsi")


def test_firmware_finds_disks_and_kexec_reaches_the_marker(lab):
    """the firmware finds disks of every kind, and plain kexec from one of them reaches the marker system"""
    files = disks.tree(lab.directory / "tree", lab.boot_files())
    images = [(disks.ext4(lab.directory / "first.img", files, label="first"), KINDS[0])]
    for kind in KINDS[1:]:
        small = disks.tree(lab.directory / kind, {"hello": kind})
        images.append((disks.ext4(lab.directory / f"{kind}.img", small, label=kind), kind))
    nics = []
    for number, model in enumerate(("e1000e", "virtio-net-pci")):
        nics += ["-netdev", f"user,id=n{number},restrict=on", "-device", f"{model},netdev=n{number},romfile="]
    with lab.machine(disks=images, arguments=nics) as machine:
        machine.sh("true", timeout=60)
        lab.say(f"a shell after {machine.seconds:.1f} s")
        entries.wait_for_disks(machine, ("first",) + KINDS[1:])
        lab.say(f"the disks are there after {machine.seconds:.1f} s")
        labels = machine.sh("ls /dev/disk/by-label").split()
        lab.equal("every disk is there", sorted(labels), sorted(("first",) + KINDS[1:]))
        lab.equal("both network cards are there",
                  machine.sh("ls /sys/class/net | grep -vc lo").strip(), "2")
        lab.equal("QEMU's own loader started this kernel",
                  machine.sh("cat /proc/sys/kernel/bootloader_type").strip(), "176")
        machine.sh("mkdir /tmp/m; mount -o ro /dev/disk/by-label/first /tmp/m")
        machine.sh("kexec -s -l /tmp/m/boot/vmlinuz --initrd=/tmp/m/boot/initrd.img "
                   f"--append='console=ttyS0 no_timer_check quiet panic=-1 nonce={lab.nonce}'", timeout=60)
        machine.sh("umount /tmp/m; (sleep 0.2; kexec -e) >/dev/null 2>&1 &")
        said = machine.wait_marker()
        lab.equal("kexec started the next kernel", said["bootloader_type"], "208")
        lab.equal("the next kernel has the command line that was given", said["cmdline"],
                  f"console=ttyS0 no_timer_check quiet panic=-1 nonce={lab.nonce}")
        machine.wait_off()
