# SPDX-License-Identifier: Apache-2.0
"""Probes that do not come back: each costs its own device, and the daemon's end leaves none behind unnamed."""
import contextlib
import re

import disks
import entries
import still

DEADLINE = 30  # a busy machine takes more than 10 s for four scans at once


def throttle(machine, disk, bytes_per_second):
    """Lets a disk answer no more than this; 0 is no limit. At 1, one request is answered, the next not for hours."""
    none = dict.fromkeys(("bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"), 0)
    # These names have underscores in QEMU.
    machine.monitor.execute("block_set_io_throttle", {"device": disk, "bps": bytes_per_second, **none})


def node_of(machine, label):
    return machine.sh(f"readlink -f /dev/disk/by-label/{label}").strip()


# The process ids of the probes on a device, or on all, the oldest first: each reads by a child.
PROBES = ("probes() { for pid in $(pidof stillboot-probe | tr ' ' '\\n' | sort -n); do "
          "tr '\\0' ' ' 2>/dev/null </proc/$pid/cmdline | grep -q \" $1\" && echo $pid; done; }; ")


def probes(machine, node="/dev/"):
    return machine.sh(f"{PROBES} probes {node}", check=False)[1].split()


def end_daemon(lab, machine):
    """SIGTERM; the init that would start another one is held, and the daemon's own end is waited for."""
    daemon = machine.sh(f"echo {still.DAEMON}").strip()
    machine.sh(f"kill -STOP $(sed -n 's/^PPid:[[:space:]]*//p' /proc/{daemon}/status); kill -TERM {daemon}")
    machine.wait_sh(f"grep -q '^State:[[:space:]]*Z' /proc/{daemon}/status", 30)
    lab.check("SIGTERM ends the daemon", True)


@contextlib.contextmanager
def machine_with(lab, sick):
    """A machine with the target on disk0 and, on disk1, one with the label "sick"; gives it and that disk's node, once
    both were scanned."""
    path, entry = entries.bls("Marker", options=f"nonce={lab.nonce}")
    root = disks.ext4(lab.directory / "root.img", disks.tree(lab.directory / "tree", {**lab.boot_files(), path: entry}),
                      label="root")
    with lab.machine(disks=[(root, "nvme"), (sick, "virtio-blk")],
                     append="stillboot.timeout=never stillboot.probe.parallel=4 "
                            f"stillboot.probe.deadline={DEADLINE}") as machine:
        machine.sh("true", timeout=90)
        entries.wait_for_disks(machine, ["root", "sick"])
        machine.wait_sh("stillboot list | grep -q Marker")
        node = node_of(machine, "sick")
        machine.wait_sh("! pidof stillboot-probe >/dev/null")
        yield machine, node


VIEWS = "grep -hs . /sys/block/loop*/loop/backing_file"
# A moment later, for a probe that has told its result is ended at once, stopped or not.
STANDS_STILL = ("sleep 0.3; grep -qs '^State:[[:space:]]*T' $(printf '/proc/%s/status ' $pids) && "
                f"{VIEWS} >/dev/null")


def signal_a_scan(machine, node, signal, until):
    """Sends a signal to the processes ($pids) of a scan of this device while it runs, until the condition holds."""
    machine.sh(f"for i in $(seq 20); do stillboot rescan {node} >/dev/null; for j in $(seq 100); do "
               f"pids=$(pidof stillboot-probe) && kill -{signal} $pids 2>/dev/null && {{ {until}; }} && exit 0; "
               "kill -CONT $pids 2>/dev/null; done; done; exit 1", timeout=120)


def test_probes_that_never_return(lab):
    """a probe that crashes, is killed or is stopped is named with its device, and SIGTERM leaves none behind"""
    image = disks.ext4(lab.directory / "sick.img", disks.tree(lab.directory / "sick", {"hello": "sick"}), label="sick")
    with machine_with(lab, image) as (machine, node):
        for signal, said in (("SEGV", f"stillboot-probe crashed on {node} (SIGSEGV)"),
                             ("KILL", f"stillboot-probe crashed on {node} (SIGKILL)"),
                             ("STOP", f"stillboot-probe was not done with {node} after {DEADLINE} s and was ended")):
            # A probe that had told its result already, or had nothing to look at yet, is missed by nobody.
            named = f"sleep 1; stillboot devices | grep -qF '{said}'"
            signal_a_scan(machine, node, signal, STANDS_STILL if signal == "STOP" else named)
            machine.wait_sh(f"stillboot devices | grep -qF '{said}'", DEADLINE + 30)
            lab.check(said, True)
            lab.check("the other disk works", "Marker" in machine.sh("stillboot list"))
            lab.equal("no probe is left, nor its child", probes(machine), [])
        signal_a_scan(machine, node, "STOP", STANDS_STILL)
        lab.check("a scan stands still", probes(machine, node))
        lab.check("with its view of the disk", machine.sh(f"{VIEWS} || true"))
        end_daemon(lab, machine)
        lab.equal("SIGTERM leaves no process", probes(machine), [])
        lab.equal("SIGTERM leaves no view of a disk",
                  machine.sh(f"{VIEWS} || true"), "")


def test_probe_stuck_in_the_kernel(lab):
    """a probe that the kernel holds costs only its device, and is named there and at the daemon's end"""
    image = lab.directory / "sick.img"
    # Room to grow puts the root's inode 4 MB from what is read to know the file system.
    disks.run("truncate", "-s", "64M", image)
    disks.run("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-E", "resize=4294967295", "-L", "sick", image)
    with machine_with(lab, image) as (machine, node):
        # The file system is known from memory, as long as somebody holds the disk open; its mount must read the disk.
        machine.sh(f"(sleep 10000 <{node} >/dev/null 2>&1 &) ; echo 3 >/proc/sys/vm/drop_caches; "
                   f"udevadm test-builtin blkid /sys/class/block/{node.removeprefix('/dev/')} >/dev/null 2>&1")
        throttle(machine, "disk1", 1)
        machine.sh("stillboot rescan")
        machine.wait_sh(f"stillboot devices | grep -q 'stuck in the kernel on {node}'", DEADLINE + 40)
        said = machine.sh("stillboot devices")
        pid = re.search(rf"stillboot-probe \(process (\d+)\) is stuck in the kernel on {node}", said)
        lab.check("the device names its process", pid, said)
        pid = pid[1]
        lab.check("it is stuck", re.search(r"^State:\s*D", machine.sh(f"cat /proc/{pid}/status"), re.MULTILINE))
        lab.check("the other disk works", "Marker" in machine.sh("stillboot list"))
        machine.sh("stillboot rescan")
        again = f"{node} is not looked at while stillboot-probe (process {pid}) is stuck"
        machine.wait_sh(f"stillboot devices | grep -qF '{again}'", 30)
        lab.check("a rescan leaves it alone and says so", True)
        lab.equal("there is still one process", probes(machine, node), [pid])
        planned = machine.sh("stillboot boot Marker --dry-run")
        lab.check("what would be unbound leaves out its disk", f"kept because a scan of {node} hangs on it" in planned,
                  planned)
        end_daemon(lab, machine)
        words = machine.sh("dmesg | grep stillboot")
        lab.check("the daemon's last words name it",
                  f"process {pid} is stuck in the kernel on {node} and is left behind" in words, words)
        lab.equal("nothing else is left", probes(machine), [pid])
        throttle(machine, "disk1", 0)
        machine.wait_sh(f"[ ! -e /proc/{pid} ]", 30)
        lab.check("it ends when the disk answers", True)
