# SPDX-License-Identifier: Apache-2.0
"""Boot entries as files of a disk, and what a machine shows of its devices before and after."""
import json


def bls(title, kernel="/boot/vmlinuz", initrds=("/boot/initrd.img",), options=""):
    """(path, text) of one type 1 entry of the Boot Loader Specification."""
    lines = [f"title {title}", f"linux {kernel}"] + [f"initrd {initrd}" for initrd in initrds]
    name = title.lower().replace(" ", "-")
    return f"/loader/entries/{name}.conf", "\n".join(lines + [f"options console=ttyS0 no_timer_check panic=-1 {options}"]) + "\n"


# Every driver link of sysfs, as "device driver": what must be the same after an undo.
# One program for all of them: each device is a link in its driver's directory, beside the one to the module.
BOUND = ("ls -d /sys/bus/*/drivers/*/*/ | sed -nE '/\\/module\\/$/d; s#.*/([^/]+)/([^/]+)/$#\\2 \\1#p' | "
         # Numbers that a rebind changes are left out.
         "sed -E 's/^(virtio|host|target|usb|input)?[0-9:.-]*[0-9] /\\1* /' | sort")

UDEV_RUNS = "udevadm control --ping --timeout=5 && echo yes"


def wait_for_disks(machine, labels):
    """Waits until udev knows every label; settling alone is not enough, as usb-storage rests a second before it looks."""
    names = " ".join(f"/dev/disk/by-label/{label}" for label in labels)
    machine.wait_sh(f"ls {names}")
    machine.settle()


def wait_for_options(machine, count):
    """Waits until as many options are listed; answers with all of them."""
    machine.wait_sh(f"[ $(stillboot list --json=short | grep -o '\"title\"' | wc -l) -ge {count} ]")
    return json.loads(machine.sh("stillboot list --json=short"))["options"]


def disk_digests(machine, labels):
    """Reads each disk from end to end past every cache; answers with the digests of those that could be read."""
    machine.sh("udevadm settle --timeout=30", timeout=40, check=False)
    found = {}
    for label in labels:
        status, said = machine.sh(f"set -o pipefail; dd if=/dev/disk/by-label/{label} bs=1M iflag=direct 2>/dev/null | "
                                  "sha256sum", timeout=60, check=False)
        if status == 0:
            found[label] = said.split()[0]
    return found


def network_answers(machine, interface):
    """Sends pings to QEMU's own router through one interface; true where it answers."""
    machine.sh(f"ip link set {interface} up; ip addr flush dev {interface}; "
               f"ip addr add 10.0.2.15/24 dev {interface}", check=False)
    answered = False
    for _ in range(5):
        status, _ = machine.sh(f"ping -c 1 -W 3 -I {interface} 10.0.2.2", timeout=20, check=False)
        answered = answered or status == 0
    machine.sh(f"ip addr flush dev {interface}", check=False)
    return answered
