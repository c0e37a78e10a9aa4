# SPDX-License-Identifier: Apache-2.0
"""A hardware watchdog: it guards the jump, restarts past a hang, and where it cannot guard that is said."""
import disks

HANGING = "still-hangs"
RULES = {"/etc/stillboot/quiesce.d/still.toml": f"""[[rule]]
name = "module"
driver = "{HANGING}"
action = "unbind"
deadline = 4
why = "what happens to it is looked at"
"""}

# A kernel that finds no root and panics for good, if it gets so far: nobody sees to the watchdog.
ENTRIES = """set default=0
menuentry 'the healthy one' {{ linux /boot/vmlinuz console=ttyS0 no_timer_check quiet panic=-1 nonce={nonce}
 initrd /boot/initrd.img }}
menuentry 'the dying one' {{ linux /boot/vmlinuz console=ttyS0 no_timer_check quiet panic=0 root=/dev/none }}
"""


def test_the_watchdog_brings_back_a_machine_that_dies_in_the_jump(lab):
    """a watchdog restarts a machine whose driver hangs and one that dies in the jump, and the state says so"""
    files = lab.boot_files() | {"/boot/grub/grub.cfg": ENTRIES.format(nonce=lab.nonce)}
    target = disks.ext4(lab.directory / "target.img", disks.tree(lab.directory / "tree", files), label="target")
    store = disks.vfat(lab.directory / "store.img", disks.tree(lab.directory / "empty", {}), label="STILLSTATE",
                       size_mib=16)
    setup = f"echo add hanging {HANGING} - 0 hang >/dev/still_test; echo bind hanging >/dev/still_test\n"
    # Without the chipset's own watchdog, which in this machine never bites.
    with lab.machine(disks=[(target, "nvme"), (store, "virtio-blk")], kernel=lab.firmware()[0],
                     initrd=lab.module_initrd(setup, files=RULES), reboots=True, limit=300,
                     arguments=["-device", "i6300esb", "-action", "watchdog=reset"],
                     append="module_blacklist=iTCO_wdt stillboot.timeout=never stillboot.watchdog=10 "
                            "stillboot.on_hang=watchdog") as machine:
        machine.sh("true", timeout=90)
        machine.wait_sh("stillboot list | grep -q 'the dying one' && [ -e /dev/watchdog0 ]")
        lab.check("its driver stays", "a watchdog" in machine.sh("stillboot quiesce plan | grep i6300ESB"))
        machine.sh("stillboot boot 'the dying one'", timeout=60)
        machine.console.expect(r"restarting the machine", timeout=90)
        hang = machine.seconds
        # No shell is asked for here: the second hand-over comes by itself, within seconds.
        machine.console.expect(r"i6300ESB timer\) guards the jump: the machine restarts in 10 s", timeout=120,
                               what="the second hand-over")
        lab.say(f"from the hang to the second hand-over's watchdog: {machine.seconds - hang:.0f} s")
        machine.console.expect(r"Stillboot \d", timeout=150, what="the menu of the third start")
        machine.restarted()
        machine.sh("true", timeout=120)
        machine.wait_sh("stillboot status | grep -q 'the watchdog restarted the machine'", seconds=90)
        status = machine.sh("stillboot status")
        lab.check("the state names the attempt that the watchdog ended",
                  'after the jump to "the dying one" at 20' in status, status)
        # As with a driver that was loaded without the firmware's word.
        machine.sh("/usr/sbin/modprobe -r i6300esb && /usr/sbin/modprobe watchdog stop_on_reboot=1 && "
                   "/usr/sbin/modprobe i6300esb")
        machine.wait_sh("stillboot list | grep -q 'the healthy one' && [ -e /dev/watchdog0 ]")
        machine.sh("stillboot boot 'the healthy one'", timeout=60)
        machine.console.expect(r"will not guard the jump: most drivers stop at the restart", timeout=90)
        said = machine.wait_marker()
        lab.check("it jumped all the same", f"nonce={lab.nonce}" in said["cmdline"], said["cmdline"])
        machine.wait_off()
        fired = machine.monitor.events("WATCHDOG")
        lab.equal("the hardware restarted the machine twice", [event["action"] for event in fired], ["reset"] * 2)
