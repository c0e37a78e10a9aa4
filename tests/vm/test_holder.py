# SPDX-License-Identifier: Apache-2.0
"""A remove that waits for an open descriptor: who holds it is named, and with permission asked to end."""
from still import RULES, grub_entry, setup_of, wait_for_entry

HELD = "still-held"
SETTINGS = {"/etc/stillboot/stillboot.toml": 'on_hang = "menu"\n'}
HOLD = "setsid sleep 1000 3</dev/still_held >/dev/null 2>&1 </dev/null & echo $!"
BOUND = "[ -e /sys/bus/platform/drivers/still-held/held ]"


def named_and_put_back(lab, machine, holder):
    """Without permission the holder is named, the deadline passes, and the menu has everything that can be had."""
    status, said = machine.sh("stillboot boot 'the wanted one' --wait", timeout=120, check=False)
    lab.check("without permission it is not booted", status != 0, said)
    lab.check("the reason names the device and who holds it, process and name",
              f"held ({HELD}) did not let go within" in said and f"held open by sleep (process {holder})" in said, said)
    lab.check("and says that its remove still hangs", f"held ({HELD}) still hangs in its unbind" in said, said)
    lab.check("the holder lives", machine.sh(f"kill -0 {holder} && echo lives", check=False)[1].strip() == "lives")
    status = machine.sh("stillboot status")
    lab.check("the state shows it", f"held open by sleep (process {holder})" in status, status)
    machine.console.wait_screen(rf"(?s)The last boot did not happen: .*sleep\s+\(process\s+{holder}\)")
    lab.check("so does the menu", True)


def released(lab, machine, holder):
    """With permission the holder ends, the remove returns, and the next kernel comes up."""
    machine.sh("dmesg -n 7; (stillboot boot 'the wanted one' >/dev/null 2>&1 &)")
    console = machine.console
    console.expect(r"still_test: begin held", timeout=90, what="the kernel's word that the remove has begun")
    console.expect(rf"held \({HELD}\) takes long: sleep \(process {holder}\), which holds /dev/still_held open, "
                   "is asked to end", timeout=60)
    lab.check("with permission the holder is named, and asked to end", True)
    console.expect(r"still_test: end held", timeout=60, what="the kernel's word that the remove has returned")
    lab.check("the remove returned, by the kernel's own log", True)
    said = machine.wait_marker()
    lab.equal("kexec started the next kernel", said["bootloader_type"], "208")
    lab.check("it is the entry", f"nonce={lab.nonce}" in said["cmdline"], said["cmdline"])
    machine.wait_off()


def test_who_holds_a_device_is_named_and_released(lab):
    """whoever holds a device open is named, and with permission asked to end, after which it boots"""
    initrd = lab.module_initrd(setup_of(("held", HELD, "open")), files=RULES | SETTINGS)
    with lab.machine(disks=[(grub_entry(lab), "nvme")], kernel=lab.firmware()[0], initrd=initrd,
                     append="stillboot.timeout=never") as machine:
        wait_for_entry(machine)
        holder = machine.sh(HOLD).strip()
        named_and_put_back(lab, machine, holder)
        machine.sh(f"kill {holder}")
        machine.wait_sh("dmesg | grep -q 'still_test: end held'")
        machine.sh("echo 'release_holders = true' >/run/stillboot/stillboot.toml; kill -9 $(pidof stillbootd)")
        machine.wait_sh(f"{BOUND} && [ ! -e /run/stillboot/handover.json ] && stillboot list | grep -q 'the wanted one'")
        lab.check("once it has let go, a daemon started again binds it", True)
        released(lab, machine, machine.sh(HOLD).strip())
