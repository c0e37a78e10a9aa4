# SPDX-License-Identifier: Apache-2.0
"""Kernels, initrds and command lines that cannot be booted: each named in plain words, with nothing touched."""
import pathlib

import disks
import entries
from test_refused import unbind_lines


def unattended(machine, seconds):
    """Ends the daemon; the one that init starts then finds another timeout on the kernel command line."""
    machine.sh(f"sed 's/timeout=never/timeout={seconds}/' /proc/cmdline >/tmp/cmdline; "
               "mount --bind /tmp/cmdline /proc/cmdline; kill $(pidof stillbootd)")


def test_bad_kernels_are_named(lab):
    """bad kernels, initrds and command lines are refused in plain words, and unattended the next default boots"""
    kernel = pathlib.Path(lab.firmware()[0]).read_bytes()
    files = {**lab.boot_files(), "/boot/short": kernel[:3_000_000], "/boot/text": "#!/bin/sh\necho no kernel\n",
             "/boot/empty": ""}
    # The one whose name sorts last is the default.
    made = [entries.bls("Truncated", kernel="/boot/short"), entries.bls("Text", kernel="/boot/text"),
            entries.bls("Empty", kernel="/boot/empty"),
            entries.bls("NoInitrd", initrds=("/boot/initrd.img", "/boot/none.img")),
            entries.bls("Long", options="x" * 2100)]
    files.update(made)
    whole = dict([entries.bls("Whole", options=f"nonce={lab.nonce}")])
    # In the order in which their defaults are tried.
    trees = (("bare", dict([entries.bls("NoKernel", kernel="/boot/none")]), "ahci"), ("root", files, "nvme"),
             ("good", {**lab.boot_files(), **whole}, "virtio-blk"))
    images = [(disks.ext4(lab.directory / f"{label}.img", disks.tree(lab.directory / label, tree), label=label), kind)
              for label, tree, kind in trees]
    wanted = {
        "Truncated": "/boot/short on /dev/nvme0n1 is cut short: ",
        "Text": "/boot/text on /dev/nvme0n1 is a text file, not a kernel",
        "Empty": "/boot/empty on /dev/nvme0n1 is empty",
        "NoInitrd": "/boot/none.img",
        "NoKernel": "/boot/none",
        "Long": "this x86 kernel can be given 2016 at most",
    }
    with lab.machine(disks=images, append="stillboot.timeout=never") as machine:
        machine.sh("true", timeout=90)
        entries.wait_for_options(machine, len(wanted) + 1)
        machine.settle()
        bound = machine.sh(entries.BOUND)
        for title, words in wanted.items():
            status, said = machine.sh(f"stillboot boot {title} --wait", timeout=60, check=False)
            lab.check(f"{title} is refused", status != 0, said)
            lab.check(f"{title}: it says why", words in said, said)
        lab.equal("no device was unbound", unbind_lines(machine), "0")
        lab.equal("every device is bound as before", machine.sh(entries.BOUND), bound)
        unattended(machine, 10)
        # The words of the reason wrap where they will; the loop above has read them whole.
        for title, words, following in (("NoKernel", "/boot/none", "Truncated"),
                                        ("Truncated", "/boot/short", "Whole")):
            machine.console.wait_shown(rf"{following} starts in \d+ second(.*\n)+.*The last boot did not happen: "
                                       rf"(.*\n)?.*{words}")
            lab.check(f"unattended, {title} is followed by {following}, with the reason shown", True)
        said = machine.wait_marker()
        lab.equal("the whole one boots by itself, by kexec", said["bootloader_type"], "208")
        lab.check("it is the entry's command line", f"nonce={lab.nonce}" in said["cmdline"], said["cmdline"])
        machine.wait_off()
