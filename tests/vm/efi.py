# SPDX-License-Identifier: Apache-2.0
"""Machines with EFI firmware (OVMF), whose variables lie in a file, and those variables as other programs show them."""
import pathlib
import shutil

CODE = "/usr/share/OVMF/OVMF_CODE_4M.fd"
VARIABLES = "/usr/share/OVMF/OVMF_VARS_4M.fd"
EFIVARS = "/sys/firmware/efi/efivars"
OURS = "316dec7c-169a-4c02-843c-55a896bfcc4a"
GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"


def variables(directory):
    """A file with the firmware's own variables alone."""
    return pathlib.Path(shutil.copyfile(VARIABLES, directory / "variables.fd"))


def arguments(kept):
    """QEMU's arguments for that firmware, with its variables in this file."""
    return ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={CODE}",
            "-drive", f"if=pflash,format=raw,unit=1,file={kept}"]


def read(machine, name, vendor):
    """The bytes of a variable, attributes first, as busybox reads them; none where there is none."""
    status, said = machine.sh(f"hexdump -v -e '1/1 \"%02x\"' {EFIVARS}/{name}-{vendor}", check=False)
    return bytes.fromhex(said.strip()) if status == 0 else None


def make(machine, name, vendor, data):
    """Makes a variable (data without the attributes) past the daemon, in one write(2)."""
    text = "".join(f"\\{byte:03o}" for byte in b"\7\0\0\0" + data)
    machine.sh(f"printf '{text}' >/tmp/variable; dd if=/tmp/variable of={EFIVARS}/{name}-{vendor} bs=64k 2>/dev/null")


def copies(machine):
    """The two copies of the state store, the newer one first: (name, bytes without the attributes)."""
    found = [(name, read(machine, name, OURS) or b"") for name in ("StillbootState0", "StillbootState1")]
    return sorted(((name, data[4:]) for name, data in found if data[:4] == b"\7\0\0\0"),
                  key=lambda copy: -sequence_of(copy[1]))


def sequence_of(copy):
    return int(copy.split(b" ")[2])


def tear(kept, copy):
    """Half of a copy of the state store is overwritten where the firmware keeps it."""
    everything = kept.read_bytes()
    assert everything.count(copy) == 1
    half = len(copy) // 2
    kept.write_bytes(everything.replace(copy, copy[:half] + b"\xff" * (len(copy) - half)))
