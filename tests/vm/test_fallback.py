# SPDX-License-Identifier: Apache-2.0
"""What kexec_file_load cannot do: left to the kexec program where that can, refused in plain words where not."""
import lzma
import pathlib
import re
import struct

import disks
import entries
from test_refused import unbind_lines

# A flattened devicetree of one empty node: header, no reservations, structure (begin, name, end, end of all).
STRUCTURE = struct.pack(">IIII", 1, 0, 2, 9)
DEVICETREE = struct.pack(">10I", 0xD00DFEED, 56 + len(STRUCTURE), 56, 56 + len(STRUCTURE), 40, 17, 16, 0, 0,
                         len(STRUCTURE)) + bytes(16) + STRUCTURE


def vmlinux_of(bzimage):
    """The ELF kernel that a bzImage holds, for Debian 12's compression (xz, followed by the size of the whole)."""
    data = pathlib.Path(bzimage).read_bytes()
    sectors = data[0x1F1] or 4
    offset, size = struct.unpack_from("<II", data, 0x248)
    start = (sectors + 1) * 512 + offset
    return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data[start:start + size])


def test_the_kexec_program_loads_what_the_kernel_cannot(lab):
    """an ELF kernel, which kexec_file_load refuses on x86, boots by the kexec program; a devicetree is refused"""
    kernel = vmlinux_of(lab.firmware()[0])
    lab.equal("it is an ELF file", kernel[:4], b"\x7fELF")
    line = f"console=ttyS0 no_timer_check panic=-1 nonce={lab.nonce} root='a b'"
    files = {"/boot/vmlinux": kernel, "/boot/vmlinuz": pathlib.Path(lab.firmware()[0]), "/boot/initrd.img": lab.marker,
             "/boot/board.dtb": DEVICETREE,
             "/boot/grub/grub.cfg": "menuentry GrubBoard {\nlinux /boot/vmlinuz\ndevicetree /boot/board.dtb\n}\n",
             "/loader/entries/elf.conf": f"title Elf\nlinux /boot/vmlinux\ninitrd /boot/initrd.img\noptions {line}\n"}
    path, entry = entries.bls("BlsBoard")
    files[path] = entry + "devicetree /boot/board.dtb\n"
    image = disks.ext4(lab.directory / "root.img", disks.tree(lab.directory / "tree", files), label="root")
    with lab.machine(disks=[(image, "nvme")], append="stillboot.timeout=never") as machine:
        machine.sh("true", timeout=90)
        for title in ("Elf", "GrubBoard", "BlsBoard"):
            machine.wait_sh(f"stillboot list | grep -qF '{title}'")
        machine.settle()
        bound = machine.sh(entries.BOUND)
        for title in ("GrubBoard", "BlsBoard"):
            status, said = machine.sh(f"stillboot boot {title} --wait", timeout=60, check=False)
            lab.check(f"{title} is refused", status != 0, said)
            lab.check(f"{title}: it says why and what to do", "kexec cannot pass one on to an x86 kernel: take it out"
                      in said, said)
        machine.sh("mv /usr/sbin/kexec /usr/sbin/kexec.away")
        status, said = machine.sh("stillboot boot Elf --wait", timeout=60, check=False)
        lab.check("without the kexec program the ELF kernel is refused", status != 0, said)
        lab.check("it says why and what to do", "cannot load this ELF kernel by itself (ENOEXEC" in said and
                  "install kexec-tools" in said, said)
        machine.console.wait_screen("The last boot did not happen: .*ELF")
        lab.equal("no device was unbound", unbind_lines(machine), "0")
        lab.equal("every device is bound as before", machine.sh(entries.BOUND), bound)
        machine.sh("mv /usr/sbin/kexec.away /usr/sbin/kexec")
        machine.sh("(stillboot boot Elf --wait >/dev/null 2>&1 &)")
        said = machine.wait_marker()
        lab.equal("with it the same kernel boots, by kexec", said["bootloader_type"], "208")
        lab.equal("it has exactly the entry's command line", said["cmdline"], line)
        stilled = re.findall(r"stillboot: unbind (\S+)", machine.console.text)
        lab.check("the devices were unbound before the jump", len(stilled) > 3, stilled)
        # The jump may come before the console has that line.
        lab.say("".join(re.findall(r"stillboot: jumping after.*", machine.console.text)))
        machine.wait_off()
