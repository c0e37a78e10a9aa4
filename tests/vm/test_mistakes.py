# SPDX-License-Identifier: Apache-2.0
"""What must not be unbound: everything that stands on a device is named, and so is what a user sits on."""
import pathlib
import subprocess

import disks
import entries
from lab import TOP

NETWORK = ["-netdev", "user,id=n0,restrict=on", "-device", "e1000e,netdev=n0,romfile="]
ADDRESS = "10.0.2.15"
OVER_SSH = f"SSH_CONNECTION='10.0.2.2 50000 {ADDRESS} 22'"
USB_RULE = """[[rule]]
name = "usb"
driver = "xhci_hcd"
action = "unbind"
why = "the test wants it unbound"
"""
CUT_OFF = "which 0000:00:"  # of the sentence about ssh: the card's name follows

# With Debian's own programs, which the firmware does not carry: $L starts one with its libraries.
STACK = """set -e
L="/tmp/t/lib/ld-linux-x86-64.so.2 --library-path /tmp/t/lib"
members=$(for d in /sys/block/sd*; do case $(readlink $d) in */virtio*) echo /dev/${d##*/} ;; esac; done)
$L /tmp/t/mdadm --create /dev/md0 --run --assume-clean --metadata=1.2 --level=1 --raid-devices=2 $members
export DM_DISABLE_UDEV=1
echo 0 1024 linear /dev/md0 0 | $L /tmp/t/dmsetup create vg-data --uuid LVM-of-this-test
mkdir -p /tmp/rw /tmp/inside
mount /dev/disk/by-label/root /tmp/rw
dd if=/dev/zero of=/tmp/rw/image bs=64k count=16 2>/dev/null
losetup /dev/loop6 /tmp/rw/image
swapon /dev/disk/by-label/swap
unshare -m sh -c "mount -o ro /dev/disk/by-label/other /tmp/inside; : >/tmp/inside-is-mounted; exec sleep 1000" &
while [ ! -e /tmp/inside-is-mounted ]; do sleep 0.1; done
"""
DOWN = """set -e
kill $(pidof sleep); while pidof sleep >/dev/null; do sleep 0.1; done
swapoff /dev/disk/by-label/swap
losetup -d /dev/loop6; umount /tmp/rw
L="/tmp/t/lib/ld-linux-x86-64.so.2 --library-path /tmp/t/lib"
DM_DISABLE_UDEV=1 $L /tmp/t/dmsetup remove vg-data
$L /tmp/t/mdadm --stop /dev/md0
"""
# What is refused, by its own name and that of the driver under it.
WANTED = ["/dev/nvme0n1 is mounted at /tmp/rw, and 0000:00:03.0 (nvme) carries it",
          " is in use as swap space, and ",
          "/dev/vda is mounted at /tmp/inside for sleep (process ",
          "the loop device loop6 shows /tmp/rw/image, which 0000:00:03.0 (nvme) carries",
          "the raid1 array md0 stands on sd",
          "the logical volume vg-data stands on md0, which "]


def program(name):
    """A program of this host and its libraries, as files of a disk."""
    path = next(p for p in map(pathlib.Path, (f"/sbin/{name}", f"/usr/sbin/{name}")) if p.exists())
    files = {name: path.resolve()}
    for word in subprocess.run(["ldd", path], check=True, stdout=subprocess.PIPE, text=True).stdout.split():
        if word.startswith("/"):
            files[f"lib/{pathlib.Path(word).name}"] = pathlib.Path(word).resolve()
    return files


def images(lab):
    tools = disks.tree(lab.directory / "tools", program("mdadm") | program("dmsetup"))
    swap = disks.empty(lab.directory / "swap.img", 16)
    disks.run("mkswap", "--label", "swap", swap)
    return [(disks.ext4(lab.directory / "root.img", tools, label="root"), "nvme"),
            (disks.empty(lab.directory / "half0.img", 16), "scsi"),
            (disks.empty(lab.directory / "half1.img", 16), "scsi"),
            (disks.ext4(lab.directory / "other.img", disks.tree(lab.directory / "other", {}), label="other", size_mib=16),
             "virtio-blk"),
            (swap, "usb")]


def every_user_is_named(lab, machine):
    machine.sh("mkdir -p /tmp/m /tmp/t; mount -o ro /dev/disk/by-label/root /tmp/m; cp -r /tmp/m/* /tmp/t; umount /tmp/m; "
               "chmod +x /tmp/t/lib/* /tmp/t/mdadm /tmp/t/dmsetup")
    machine.sh(STACK, timeout=60)
    machine.settle()
    bound = machine.sh(entries.BOUND)
    status, said = machine.sh("stillboot quiesce run", check=False)
    lab.equal("with all that in use it is refused", status, 4)
    for sentence in WANTED:
        lab.check(f"it names: {sentence}", sentence in said, said)
    lab.equal("and nothing was touched", machine.sh(entries.BOUND), bound)
    recorded = lab.directory / "machine.json"
    recorded.write_text(machine.sh("stillboot quiesce record --identities", timeout=60))
    planned = subprocess.run([TOP / "build/ui/cli/stillboot", "quiesce", "plan", "--inventory", recorded],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    lab.equal("the recorded machine is refused on another one", planned.returncode, 4)
    for sentence in WANTED:
        lab.check(f"there too: {sentence}", sentence in planned.stdout, planned.stdout)
    machine.sh(DOWN, timeout=60)
    machine.settle()


def refused(lab, machine, what, command, words):
    bound = machine.sh(entries.BOUND)
    status, said = machine.sh(command, check=False)
    lab.check(f"{what} is refused in words", status == 4 and words in said, f"{status}: {said}")
    lab.equal(f"{what}: nothing was touched", machine.sh(entries.BOUND), bound)


def bound_pci(machine):
    return set(machine.sh("ls -d /sys/bus/pci/drivers/*/0000:* | cut -d/ -f6").split())


def modes_do_no_more_than_they_say(lab, machine):
    bound = machine.sh(entries.BOUND)
    machine.sh("echo 'quiesce = \"off\"' >/run/stillboot/stillboot.toml")
    status, said = machine.sh("stillboot quiesce run", timeout=60, check=False)
    lab.check("off is a run that ends well", status == 0 and "the setting quiesce is off" in
              machine.sh("stillboot quiesce plan"), f"{status}: {said}")
    lab.equal("and touches nothing", machine.sh(entries.BOUND), bound)
    before = bound_pci(machine)
    machine.sh("echo 'quiesce = \"minimal\"' >/run/stillboot/stillboot.toml; mkdir -p /run/stillboot/quiesce.d; "
               f"cat >/run/stillboot/quiesce.d/usb.toml <<'EOF'\n{USB_RULE}EOF")
    plan = machine.sh("stillboot quiesce plan")
    lab.check("a drop-in is named with its place", "[usb (/run/stillboot/quiesce.d/usb.toml:1)]" in plan, plan)
    status, said = machine.sh("stillboot quiesce run", timeout=120, check=False)
    lab.equal("minimal runs", status, 0)
    after = bound_pci(machine)
    lab.check("what a rule of the machine names is unbound, and what has a shutdown method stays",
              "xhci_hcd" in before - after and {"nvme", "e1000e"} <= after, f"{before} {after} {said}")
    refused(lab, machine, "another run on top of it", "stillboot quiesce run", "are unbound already")
    machine.sh("rm -r /run/stillboot/stillboot.toml /run/stillboot/quiesce.d")
    undone(lab, machine, "the minimal run", bound)


def undone(lab, machine, what, bound):
    status, said = machine.sh("stillboot quiesce undo", timeout=120, check=False)
    lab.check(f"{what} is undone by a verb", status == 0 and "Everything is back as it was." in said, f"{status}: {said}")
    lab.equal(f"{what}: each device is bound as before", machine.sh(entries.BOUND), bound)


def cut_short(lab, machine):
    """By whoever asked: a run never ends halfway."""
    bound = machine.sh(entries.BOUND)
    machine.sh("stillboot quiesce run | head -n 1", timeout=120)
    lab.check("whoever reads no further does not end it", "Nothing moves." in machine.sh("stillboot quiesce verify"))
    undone(lab, machine, "the run into a closed pipe", bound)
    # By the second unbind's own line, which is written before the act; earlier runs have left theirs.
    status, said = machine.sh("n=$(dmesg | grep -c 'stillboot: unbind 2/'); stillboot quiesce run >/tmp/run 2>&1 & run=$!; "
                              "cat /dev/kmsg | while read -r line; do case $line in *'stillboot: unbind 2/'*) "
                              "[ $n -gt 0 ] || { kill -TERM $run; break; }; n=$((n - 1));; esac; done; wait $run; "
                              "status=$?; cat /tmp/run; exit $status", timeout=120, check=False)
    lab.check("a signal in the middle puts everything back", status == 1 and "Everything is back as it was." in said,
              f"{status}: {said}")
    lab.equal("each device is bound as before", machine.sh(entries.BOUND), bound)
    lab.equal("and nothing is left to undo", machine.sh("stillboot quiesce undo").strip(),
              "Nothing is unbound by Stillboot: there is nothing to put back.")


def test_mistakes(lab):
    """what is in use, an ssh session, a container and a read-only sysfs refuse by name; modes are kept to"""
    with lab.machine(disks=images(lab), arguments=NETWORK, append="stillboot.timeout=never") as machine:
        machine.sh("true", timeout=90)
        entries.wait_for_disks(machine, ["root", "other", "swap"])
        machine.wait_sh("stillboot quiesce plan")  # once no scan holds a disk
        every_user_is_named(lab, machine)
        machine.wait_sh("stillboot quiesce plan")
        card = machine.sh("basename $(ls -d /sys/bus/pci/drivers/e1000e/0000:*/net/*)").strip()
        machine.sh(f"ip link set {card} up; ip addr add {ADDRESS}/24 dev {card}")
        refused(lab, machine, "an ssh session over the card that goes", f"{OVER_SSH} stillboot quiesce run",
                f"you are logged in over ssh through {card}, {CUT_OFF}")
        refused(lab, machine, "the same, asked for by load --exec",
                f"{OVER_SSH} stillboot load --exec /bin/busybox", f"you are logged in over ssh through {card}, {CUT_OFF}")
        refused(lab, machine, "a container",
                "mkdir -p /run/systemd; echo docker >/run/systemd/container; stillboot quiesce run; s=$?; "
                "rm /run/systemd/container; exit $s", "this is a container (docker)")
        refused(lab, machine, "a read-only sysfs",
                "unshare -m sh -c 'mount -o remount,bind,ro /sys && stillboot quiesce run'",
                "sysfs is mounted read-only at /sys")
        modes_do_no_more_than_they_say(lab, machine)
        cut_short(lab, machine)
        status, said = machine.sh(f"{OVER_SSH} stillboot quiesce run --even-if-cut-off", timeout=120, check=False)
        lab.equal("asked for all the same, it is done", status, 0)
        lab.check("and nothing moves", "Nothing moves." in said, said)
        lab.equal("the card has no driver", machine.sh("ls -d /sys/bus/pci/drivers/e1000e/0000:* 2>/dev/null || true"), "")
