# SPDX-License-Identifier: Apache-2.0
"""Kernels, initrds and command lines that cannot be booted: each named in plain words, with nothing touched."""
import pathlib

import disks
import entries
from test_refused import unbind_lines


def test_bad_kernels_are_named(lab):
    """a truncated kernel, a text file, a missing initrd and a long command line are each refused in plain words"""
    kernel = pathlib.Path(lab.firmware()[0]).read_bytes()
    files = {**lab.boot_files(), "/boot/short": kernel[:3_000_000], "/boot/text": "#!/bin/sh\necho no kernel\n",
             "/boot/empty": ""}
    made = [entries.bls("Whole", options=f"nonce={lab.nonce}"), entries.bls("Short", kernel="/boot/short"),
            entries.bls("Text", kernel="/boot/text"), entries.bls("Empty", kernel="/boot/empty"),
            entries.bls("NoInitrd", initrds=("/boot/initrd.img", "/boot/none.img")),
            entries.bls("NoKernel", kernel="/boot/none"),
            entries.bls("Long", options="x" * 2100)]
    files.update(made)
    image = disks.ext4(lab.directory / "root.img", disks.tree(lab.directory / "tree", files), label="root")
    wanted = {
        "Short": "/boot/short on /dev/nvme0n1 is cut short: ",
        "Text": "/boot/text on /dev/nvme0n1 is a text file, not a kernel",
        "Empty": "/boot/empty on /dev/nvme0n1 is empty",
        "NoInitrd": "/boot/none.img",
        "NoKernel": "/boot/none",
        "Long": "this x86 kernel can be given 2016 at most",
    }
    with lab.machine(disks=[(image, "nvme")], append="stillboot.timeout=never") as machine:
        machine.sh("true", timeout=90)
        machine.wait_sh("stillboot list | grep -q Whole")
        machine.settle()
        bound = machine.sh(entries.BOUND)
        for title, words in wanted.items():
            status, said = machine.sh(f"stillboot boot {title} --wait", timeout=60, check=False)
            lab.check(f"{title} is refused", status != 0, said)
            lab.check(f"{title}: it says why", words in said, said)
        lab.equal("no device was unbound", unbind_lines(machine), "0")
        lab.equal("every device is bound as before", machine.sh(entries.BOUND), bound)
        machine.sh("(stillboot boot Whole --wait >/dev/null 2>&1 &)")
        said = machine.wait_marker()
        lab.equal("the whole one still boots, by kexec", said["bootloader_type"], "208")
        lab.check("it is the entry's command line", f"nonce={lab.nonce}" in said["cmdline"], said["cmdline"])
        machine.wait_off()
