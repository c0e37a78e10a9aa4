# SPDX-License-Identifier: Apache-2.0
"""What binds devices again while they are unbound, and virtual functions."""
import re

from lab import TOP

# QEMU's nvme has virtual functions only below a port. Its functions are offline until a program of its own gives
# them queues, so no driver is let at them.
FUNCTIONS = 2
SRIOV = ["-device", "pcie-root-port,id=below,chassis=9,slot=9", "-device", "nvme-subsys,id=subsystem",
         "-device", "nvme,serial=parent,subsys=subsystem,bus=below,sriov_max_vfs=2,sriov_vq_flexible=4,"
                    "sriov_vi_flexible=2",
         "-trace", "pci_nvme_pci_reset"]
COMING = ["-device", "e1000,romfile="]
PHYSICAL = "$(dirname /sys/bus/pci/devices/*/sriov_totalvfs)"

SETUP = """for order in 'add again still_again - 0 plain' 'bind again' \\
    'add stubborn still_stubborn - 0 again' 'bind stubborn' 'add mother still_mother - 0 child' 'bind mother'; do
  echo $order >/dev/still_test
done
"""
AGAIN = "/sys/bus/platform/drivers/still_again"
RULE = ('ACTION=="unbind", SUBSYSTEM=="platform", KERNEL=="again", '
        f'RUN+="/bin/sh -c \'echo again >{AGAIN}/bind; echo yes >>/tmp/rule-ran\'"')


def helper(machine, words):
    return machine.sh(f"/test/quiesce-machine {words}", check=False, timeout=60)


def put_back(lab, machine, what):
    status, text = helper(machine, "undo")
    lab.equal(f"{what}: all is put back", (status, text.splitlines()[:-1]), (0, []))


def check_udev(lab, machine):
    machine.sh("mkdir -p /run/udev/rules.d; cp /test/again.rules /run/udev/rules.d/99-again.rules; "
               f"udevadm control --reload; echo again >{AGAIN}/unbind")
    machine.wait_sh(f"[ -e /tmp/rule-ran ] && [ -e {AGAIN}/again ]")
    lab.check("left alone, udev binds it again", True)
    machine.settle()
    machine.sh("rm /tmp/rule-ran")
    status, text = helper(machine, "only=still_again run")
    lab.equal("with udev's queue stopped it is unbound", status, 0)
    lab.equal("and stays so", machine.sh(f"ls -d {AGAIN}/again /tmp/rule-ran 2>/dev/null || true"), "")
    put_back(lab, machine, "after udev's rule")
    machine.wait_sh("[ -e /tmp/rule-ran ]")
    lab.check("udev is at work again", True)
    machine.settle()
    machine.sh("rm /run/udev/rules.d/99-again.rules; udevadm control --reload")
    lab.check("the device is bound", machine.sh(f"ls -d {AGAIN}/again"))


def check_stubborn(lab, machine):
    status, text = helper(machine, "only=still_stubborn run")
    lab.check("who binds it again each time is refused by name",
              status == 1 and "failed: stubborn (still_stubborn) is bound again as often as it is unbound" in text, text)
    put_back(lab, machine, "after the stubborn one")
    lab.check("the device is bound", machine.sh("ls -d /sys/bus/platform/drivers/still_stubborn/stubborn"))


def check_child(lab, machine):
    drivers = "/sys/bus/platform/drivers/still_mother"
    status, text = helper(machine, "only=still_mother run")
    lab.equal("a remove that brings back a child ends", status, 0)
    made = machine.sh("ls -d /sys/devices/platform/mother/still_child.*")
    bound = machine.sh(f"ls {drivers} | grep -E 'mother|child' || true")
    lab.equal("there is a child, and nothing is bound", (len(made.split()), bound), (1, ""))
    put_back(lab, machine, "after the child")
    lab.check("the mother is bound", machine.sh(f"ls -d {drivers}/mother"))


def check_meanwhile(lab, machine):
    """With autoprobe off the kernel brings no driver and device together: what comes then is for the undo to see to."""
    drivers = "/sys/bus/pci/drivers"
    bound = "cd /sys/bus && ls -d pci/drivers/e1000/0* usb/drivers/usb/*-* usb/drivers/usbhid/*-* 2>/dev/null || true"
    machine.sh(f"/usr/sbin/modprobe -r e1000; [ ! -e {drivers}/e1000 ]")
    status, _ = helper(machine, "only=still_again run")
    lab.equal("one device is unbound", status, 0)
    machine.sh(f"/usr/sbin/modprobe e1000; [ -e {drivers}/e1000 ]")
    machine.monitor("device_add", driver="usb-kbd", bus="xhci.0", id="keyboard")
    machine.wait_sh("ls -d /sys/bus/usb/devices/*-[1-9]")  # not the root hub's interface, *-0:1.0
    lab.equal("a driver and a device that come now stay alone", machine.sh(bound), "")
    put_back(lab, machine, "what came meanwhile")
    machine.wait_sh("ls -d /sys/bus/usb/drivers/usbhid/*-*")  # loaded by udev
    now = {path.split("/")[-2] for path in machine.sh(bound).split()}
    lab.equal("the driver has its device, and the device its driver", now, {"e1000", "usb", "usbhid"})


def resets(machine):
    """How often QEMU's nvme was reset until now, as it says itself."""
    return (machine.directory / "qemu.log").read_text().count("pci_nvme_pci_reset")


def check_functions(lab, machine):
    count = f"ls -d {PHYSICAL}/virtfn* 2>/dev/null | wc -l"
    driver = f"basename $(readlink {PHYSICAL}/driver)"
    machine.sh(f"echo 0 >{PHYSICAL}/sriov_drivers_autoprobe; echo {FUNCTIONS} >{PHYSICAL}/sriov_numvfs", timeout=60)
    lab.equal("there are virtual functions", machine.sh(count).strip(), str(FUNCTIONS))
    before = resets(machine)
    status, text = helper(machine, "reset=nvme plan run verify")
    lab.equal("the physical function is unbound, reset and at rest", status, 0)
    lab.check("the reset is planned behind its unbind, by the function itself",
              re.search(r"\nreset (\S+) \(pci, nvme\), after \1: .* by flr \[", text), text)
    lab.equal("the device saw one", resets(machine) - before, 1)
    lab.check("its virtual ones were switched off first", "switch off the virtual functions" in text, text)
    lab.equal("they are gone", machine.sh(f"{count}; cat {PHYSICAL}/sriov_numvfs").split(), ["0", "0"])
    lab.equal("and no driver is bound", machine.sh(f"ls {PHYSICAL}/driver 2>/dev/null || true"), "")
    put_back(lab, machine, "after the functions")
    lab.equal("the functions and the driver are back", machine.sh(f"{count}; {driver}").split(), [str(FUNCTIONS), "nvme"])


def test_bound_again(lab):
    """what would bind again ends still or refused by name; virtual functions go before the physical one, which is reset on request"""
    initrd = lab.module_initrd(SETUP, files={
        "/test/quiesce-machine": TOP / "build/tests/quiesce/quiesce-machine", "/test/again.rules": RULE + "\n"})
    with lab.machine(kernel=lab.firmware()[0], initrd=initrd, arguments=SRIOV + COMING,
                     append="stillboot.timeout=never") as machine:
        machine.sh("true", timeout=90)
        machine.wait_sh(f"[ -e {AGAIN}/again ] && [ -e {PHYSICAL}/driver ]")
        machine.settle()
        machine.sh("chmod +x /test/quiesce-machine")
        check_udev(lab, machine)
        check_stubborn(lab, machine)
        check_child(lab, machine)
        check_meanwhile(lab, machine)
        check_functions(lab, machine)
