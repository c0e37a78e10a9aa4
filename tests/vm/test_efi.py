# SPDX-License-Identifier: Apache-2.0
"""EFI firmware: what is kept in its variables, what it can be asked, and what it asks for."""
import json

import disks
import efi
import entries
import still


def target(lab):
    """A disk with two entries of the Boot Loader Specification, of which 'another entry' is the default."""
    files = lab.boot_files()
    for title, option in (("the wanted one", f"nonce={lab.nonce}"), ("another entry", "other=yes")):
        path, text = entries.bls(title, options=f"quiet {option}")
        files[path] = text
    files["/loader/loader.conf"] = "default another-entry*\n"
    return disks.ext4(lab.directory / "target.img", disks.tree(lab.directory / "tree", files), label="target")


def wait_for_start(machine):
    still.wait_for_entry(machine)
    machine.wait_sh(still.LOOKED)


def keep_something(lab, machine):
    """Answers with the name and the bytes of the copy that was written last."""
    system = json.loads(machine.sh("stillboot --json=short system"))["system"]
    lab.equal("the store is found in EFI variables by itself", system["state_store"], "EFI variables")
    machine.sh("stillboot settings log_level debug")
    machine.sh("stillboot set-oneshot 'the wanted one'")
    machine.sh("stillboot settings final_action poweroff")
    newer, older = efi.copies(machine)
    lab.check("both copies are variables of ours, each with what was known when it was written",
              b"the-wanted-one" in newer[1] and b"poweroff" in newer[1]
              and b"the-wanted-one" in older[1] and b"poweroff" not in older[1], f"{newer}\n{older}")
    status, said = machine.sh(f"rm {efi.EFIVARS}/{newer[0]}-{efi.OURS}", check=False)
    lab.check("a variable that was changed is immutable again", status == 1 and "Operation not permitted" in said, said)
    return newer


def look_after_the_restart(lab, machine, torn):
    indications = efi.read(machine, "OsIndications", efi.GLOBAL)
    lab.check("the firmware was asked to open its setup", indications is not None and indications[4] & 1 == 1,
              str(indications))
    status = machine.sh("stillboot status")
    lab.check("a torn copy is said",
              f"the state store's EFI variable {torn} is damaged: the other copy is used" in status, status)
    lab.check("the one-shot was kept over the restart", "the wanted one is what was chosen for once" in status, status)
    said = machine.sh("stillboot settings log_level; stillboot settings final_action")
    lab.check("and the setting before it, but not the one that only the torn copy had",
              "log_level = debug" in said and "final_action = reboot" in said, said)


def boot_what_the_firmware_asks_for(lab, machine):
    machine.sh("stillboot set-oneshot 'another entry'")
    efi.make(machine, "LoaderEntryOneShot", efi.LOADER, "the-wanted-one+3-1.conf\0".encode("utf-16-le"))
    still.start_daemon_again(machine)
    status = machine.sh("stillboot status")
    lab.check("what the firmware asks for comes before the one-shot, and that is said",
              "the wanted one is what the firmware is asked for once" in status
              and "instead of: another entry, what was chosen for once" in status, status)
    before = efi.sequence_of(efi.copies(machine)[0][1])
    machine.sh("(stillboot boot @default >/dev/null 2>&1 &)")
    said = machine.wait_marker(timeout=150)
    lab.equal("it boots, by kexec", (said["bootloader_type"], f"nonce={lab.nonce}" in said["cmdline"]), ("208", True))
    machine.wait_off()
    return before


def fill_the_variables(machine):
    """Junk until the firmware takes no more, in smaller and smaller variables."""
    machine.sh("n=0; for size in 30000 8000 2000 500 100; do while :; do n=$((n + 1)); "
               "{ printf '\\007\\000\\000\\000'; head -c $size /dev/urandom; } >/tmp/junk; "
               f"dd if=/tmp/junk of={efi.EFIVARS}/Junk$n-{efi.OURS} bs=64k 2>/dev/null || break; "
               "[ $n -lt 100 ] || exit 1; done; done", timeout=120)


def look_at_the_next_start(lab, machine, before):
    lab.equal("what the firmware asked for is used up", efi.read(machine, "LoaderEntryOneShot", efi.LOADER), None)
    status = machine.sh("stillboot status")
    lab.check("the one-shot that it beat still waits", "another entry is what was chosen for once" in status, status)
    report = json.loads(machine.sh("stillboot --json=short report"))["report"]
    lab.check("the store holds the verdicts, which came after the unbinding",
              report["kind"] == "done" and report["unbound"] > 0 and report["slowest"], str(report))
    newer = efi.copies(machine)[0][1]
    lab.check("another program reads them there", b'"kind":"done"' in newer and b'"slowest":[{' in newer, str(newer))
    writes = efi.sequence_of(newer) - before
    lab.check(f"the hand-over and the look back at it wrote {writes} times: flash wears", 0 < writes <= 15)


def boot_with_a_full_store(lab, machine):
    fill_the_variables(machine)
    before = efi.copies(machine)
    status, said = machine.sh("stillboot settings final_action menu", check=False)
    lab.check("a full store refuses a setting and says so", status == 4 and "the state store is full" in said, said)
    lab.equal("and what it held before is kept", efi.copies(machine), before)
    machine.sh("(stillboot boot 'another entry' >/tmp/said 2>&1 &)")
    said = machine.wait_marker(timeout=150)
    lab.equal("the machine still boots", (said["bootloader_type"], "other=yes" in said["cmdline"]), ("208", True))
    machine.wait_off()


def test_efi_variables_keep_what_must_outlive_the_kernel(lab):
    """choices, settings and reports in EFI variables, over restarts, a torn copy and a full store; firmware requests"""
    kept = efi.variables(lab.directory)
    options = {"disks": [(target(lab), "nvme")], "append": still.UNHURRIED, "arguments": efi.arguments(kept)}
    with lab.machine(**options) as machine:
        wait_for_start(machine)
        name, copy = keep_something(lab, machine)
        machine.sh("(stillboot reboot --firmware-setup >/dev/null 2>&1 &)")
        lab.equal("it restarts", machine.wait_end(), ["guest-reset"])
    efi.tear(kept, copy)
    with lab.machine(**options) as machine:
        wait_for_start(machine)
        look_after_the_restart(lab, machine, name)
        before = boot_what_the_firmware_asks_for(lab, machine)
    lab.check("the report is in the firmware's own file", b'"kind":"done"' in kept.read_bytes())
    with lab.machine(**options) as machine:
        wait_for_start(machine)
        look_at_the_next_start(lab, machine, before)
        boot_with_a_full_store(lab, machine)
