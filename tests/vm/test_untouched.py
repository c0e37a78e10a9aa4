# SPDX-License-Identifier: Apache-2.0
"""Nothing that is looked at is changed: dirty file systems, and copies of one disk."""
import json
import pathlib
import shutil

import disks
import entries

TWIN = "0f0f0f0f-1111-4222-8333-444455556666"


def target(lab, name, title, nonce=""):
    """A tree with one entry and what it boots."""
    path, entry = entries.bls(title, options=f"nonce={nonce}")
    return disks.tree(lab.directory / name, {**lab.boot_files(), path: entry})


def add_orphan(lab, image):
    """Leaves an inode on the orphan list of a clean ext4, as a deleted file that was open at a power cut."""
    content = lab.directory / "gone"
    content.write_bytes(b"x" * 100_000)
    inode = None
    for round_of in ("write {file} /gone", "stat /gone"):
        said = disks.run("debugfs", "-w", "-R", round_of.format(file=content), image)
        if "Inode:" in said:
            inode = said.split("Inode:")[1].split()[0]
    script = lab.directory / "orphan.debugfs"
    script.write_text(f"sif <{inode}> links_count 0\nsif <{inode}> dtime 0\nssv last_orphan {inode}\nunlink /gone\n")
    disks.run("debugfs", "-w", "-f", script, image)


def cut_the_power(lab, machine, images):
    """Writes to two mounted file systems and copies the disks as they are at one moment; answers with the copies."""
    machine.settle()
    machine.sh("mkdir /tmp/e /tmp/x; mount -t ext4 /dev/vda /tmp/e; mount -t xfs /dev/vdb /tmp/x", timeout=120)
    for place in ("/tmp/e", "/tmp/x"):
        machine.sh(f"for i in $(seq 40); do echo $i >{place}/file$i; done; sync; echo last >{place}/last; "
                   f"sync; rm {place}/file1; sync", timeout=60)
    machine.monitor("stop")
    copies = [pathlib.Path(shutil.copyfile(image, lab.directory / f"dirty-{image.name}")) for image in images]
    machine.monitor("cont")
    machine.sh("umount /tmp/e /tmp/x", timeout=60)
    return copies


def mount_plainly(lab, machine, images):
    """Mounts a copy of each image with the options beside it: what a scan must not do. Names of those it changed."""
    controls = []
    for number, (image, options) in enumerate(images):
        control = pathlib.Path(shutil.copyfile(image, lab.directory / f"control{number}-{image.name}"))
        controls.append((control, disks.digest(control), f"{options} {image.name}"))
        machine.monitor("blockdev-add", driver="raw", node_name=f"c{number}",
                        file={"driver": "file", "filename": str(control)})
        machine.monitor("device_add", driver="scsi-hd", drive=f"c{number}", bus="scsi0.0", scsi_id=number + 1)
        block = f"/sys/bus/scsi/devices/*:0:{number + 1}:0/block/*"
        machine.wait_sh(f"ls -d {block}")
        machine.settle()
        machine.sh(f"mkdir /tmp/m{number}; "
                   f"mount -o {options} /dev/$(basename {block}) /tmp/m{number} && umount /tmp/m{number}", timeout=120)
    machine.sh("sync; (sleep 0.2; poweroff -f) >/dev/null 2>&1 &")
    machine.wait_off()
    return [name for control, before, name in controls if disks.digest(control) != before]


def dirty_disks(lab):
    """An ext4 with a dirty journal, an xfs with a dirty log, and an ext4 with an orphan, each shown to be one."""
    images = [disks.ext4(lab.directory / "ext4.img", target(lab, "d1", "Dirty ext4"), label="dirty", size_mib=160),
              disks.xfs(lab.directory / "xfs.img", target(lab, "d2", "Dirty xfs"), label="log")]
    orphan = disks.ext4(lab.directory / "orphan.img", target(lab, "d3", "Orphan"), label="orphan")
    add_orphan(lab, orphan)
    with lab.machine(disks=[(image, "virtio-blk") for image in images], append="stillboot.timeout=never") as machine:
        dirty, log = cut_the_power(lab, machine, images)
        controls = [(dirty, "ro"), (log, "ro"), (orphan, "ro"), (orphan, "ro,noload")]
        lab.equal("a plain `ro` mount changes each of them, and `ro,noload` the orphan too",
                  mount_plainly(lab, machine, controls), [f"{options} {image.name}" for image, options in controls])
    return dirty, log, orphan


def test_disks_are_untouched(lab):
    """disks with dirty journals, orphans and twins are bit for bit the same at the jump as before"""
    dirty, log, orphan = dirty_disks(lab)
    other = "n" + lab.nonce[::-1]
    twins = [disks.ext4(lab.directory / f"twin{n}.img", target(lab, f"twin{n}", f"Twin {n}", nonce), uuid=TWIN,
                        label="twin") for n, nonce in ((1, other), (2, lab.nonce))]
    kinds = [(twins[0], "nvme"), (twins[1], "ahci"), (dirty, "virtio-blk"), (log, "scsi"), (orphan, "usb")]
    before = {path: disks.digest(path) for path, _ in kinds}
    with lab.machine(disks=kinds, append="stillboot.timeout=never") as machine:
        machine.sh("true", timeout=90)
        options = entries.wait_for_options(machine, 5)
        lab.equal("each disk offers its own entry", sorted(option["title"] for option in options),
                  ["Dirty ext4", "Dirty xfs", "Orphan", "Twin 1", "Twin 2"])
        mine = [option for option in options if option["title"].startswith("Twin")]
        lab.equal("the twins' entries stand on two devices", len({option["device"] for option in mine}), 2)
        devices = json.loads(machine.sh("stillboot devices --json=short"))["devices"]
        lab.equal("those with an unreplayed journal are said to have one",
                  sorted(device["label"] for device in devices if "probe.journal_pending" in json.dumps(device)),
                  ["dirty", "log"])
        machine.wait_sh("! pidof stillboot-probe")  # which has told its result before it is gone
        lab.equal("no view of a disk is left", machine.sh("losetup -a").strip(), "")
        machine.sh("(stillboot boot 'Twin 2' --wait >/dev/null 2>&1 &)")
        marker = machine.wait_marker()
        lab.equal("kexec started the next kernel", marker["bootloader_type"], "208")
        lab.check("the second twin's own entry was booted", f"nonce={lab.nonce}" in marker["cmdline"],
                  marker["cmdline"])
        machine.wait_off()
    lab.equal("no disk has changed", [path.name for path, old in before.items() if disks.digest(path) != old], [])
