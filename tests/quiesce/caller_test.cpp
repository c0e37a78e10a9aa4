// SPDX-License-Identifier: Apache-2.0
#include "quiesce/caller.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/quiesce/fake_machine.hpp"

using namespace stillboot;
using namespace stillboot::quiesce;
using namespace std::string_view_literals;
using stillboot::quiesce::test::FakeMachine;

namespace {

using Sentences = std::vector<std::string>;

const std::string bus0 = "/sys/devices/pci0000:00";
const std::string nic = bus0 + "/0000:00:01.0";
const std::string usb = bus0 + "/0000:00:02.0";
const std::string display = bus0 + "/0000:00:03.0";

/// A process: its parent, its terminal as the kernel encodes it, its environment with NULs.
void add_process(const FakeMachine& machine, const std::string& pid, const std::string& parent, unsigned terminal,
                 std::string_view environment = {}) {
    machine.file("/proc/" + pid + "/stat",
                 pid + " (a (odd) name) S " + parent + " 1 1 " + std::to_string(terminal) + " 1 4194560 0 0\n");
    machine.file("/proc/" + pid + "/environ", environment);
}

/// One network card with the interface enp1s0, one USB controller with a serial adapter and a keyboard, a display.
void add_machine(FakeMachine& machine) {
    machine.pci(nic, "0x020000", "e1000e");
    machine.interface(nic + "/net/enp1s0", "52:54:00:12:34:56");
    machine.pci(usb, "0x0c0330", "xhci_hcd");
    machine.link("/sys/dev/char/188:0", usb + "/usb1/1-1/1-1:1.0/ttyUSB0/tty/ttyUSB0");
    machine.pci(display, "0x030000", "i915");
    machine.class_device(display + "/graphics/fb0", "graphics");
    machine.class_device("/sys/devices/virtual/graphics/fbcon", "graphics");
    machine.link("/sys/dev/char/4:2", "/sys/devices/virtual/tty/tty2");
    machine.class_device("/sys/devices/virtual/tty/tty2", "tty");
    machine.class_device("/sys/devices/virtual/tty/hvc0", "tty");
    machine.link("/sys/dev/char/229:0", "/sys/devices/virtual/tty/hvc0");
}

Sentences lost(const FakeMachine& machine, const Caller& caller, const std::vector<LocalAddress>& addresses = {},
               const Policy& policy = {}) {
    Sentences out;
    for (const auto& message :
         cut_offs(machine.root(), make_plan(machine.inventory(), policy), caller, addresses)) {
        out.push_back(message.sentence());
    }
    return out;
}

const Sentences ssh_words = {
    "you are logged in over ssh through enp1s0, which 0000:00:01.0 (e1000e) carries: the "
    "connection would end"};

Caller over_ssh(const std::string& address) {
    Caller caller;
    caller.ssh_addresses = {address};
    return caller;
}

Caller at_terminal(const std::string& path) {
    Caller caller;
    caller.terminals = {path};
    return caller;
}

std::string words(const Result<void>& result) {
    return result ? "" : result.error().sentence();
}

}  // namespace

TEST_SUITE("quiesce") {
    TEST_CASE("the caller is looked for through sudo, in the processes that it came from") {
        FakeMachine machine;
        add_machine(machine);
        constexpr unsigned pts7 = (136U << 8) | 7;
        constexpr unsigned tty_usb0 = 188U << 8;
        add_process(machine, "self", "90", pts7, "HOME=/root\0"sv);
        add_process(machine, "90", "80", pts7);
        add_process(machine, "80", "1", tty_usb0,
                    "A=SSH_CONNECTION=x\0SSH_CONNECTION=192.0.2.9 5022 192.0.2.1 22\0B=\0"sv);
        add_process(machine, "1", "0", 0);
        const Caller caller = read_caller(machine.root());
        CHECK(caller.ssh_addresses == Sentences{"192.0.2.1"});
        CHECK(caller.terminals == Sentences{usb + "/usb1/1-1/1-1:1.0/ttyUSB0/tty/ttyUSB0"});
    }

    TEST_CASE("processes that cannot be read, damaged or in a circle end the search") {
        FakeMachine machine;
        CHECK(read_caller(machine.root()) == Caller());
        add_process(machine, "self", "2", 0, "SSH_CONNECTION=not four words");
        add_process(machine, "2", "2", 0);
        CHECK(read_caller(machine.root()) == Caller());
        machine.file("/proc/2/stat", "2 (x");
        CHECK(read_caller(machine.root()) == Caller());
    }

    TEST_CASE("a minor number beyond 8 bits, and a terminal that stands for the active one") {
        FakeMachine machine;
        machine.link("/sys/dev/char/5:1", "/sys/devices/virtual/tty/console");
        machine.file("/sys/devices/virtual/tty/console/active", "ttyS0 tty2\n");
        machine.class_device("/sys/devices/virtual/tty/tty2", "tty");
        machine.link("/sys/dev/char/4:300", "/sys/devices/platform/odd/tty/ttyX300");
        add_process(machine, "self", "2", (5U << 8) | 1);
        add_process(machine, "2", "0", (4U << 8) | (300U & 0xff) | ((300U & ~0xffU) << 12));
        CHECK(read_caller(machine.root()).terminals ==
              Sentences{"/sys/devices/virtual/tty/tty2", "/sys/devices/platform/odd/tty/ttyX300"});
    }

    TEST_CASE("an ssh session is named by the interface that has its address") {
        FakeMachine machine;
        add_machine(machine);
        const std::vector<LocalAddress> addresses = {{"127.0.0.1", "lo"}, {"192.0.2.1", "enp1s0"}};
        CHECK(lost(machine, over_ssh("192.0.2.1"), addresses) == ssh_words);
        CHECK(lost(machine, over_ssh("fe80::1%enp1s0"), addresses) == ssh_words);
        CHECK(lost(machine, over_ssh("127.0.0.1"), addresses).empty());
        CHECK(lost(machine, Caller(), addresses).empty());
        Policy policy;
        policy.keep = {"e1000e"};
        CHECK(lost(machine, over_ssh("192.0.2.1"), addresses, policy).empty());
    }

    TEST_CASE("an ssh session through a bridge over a bond, or a tunnel, is named by the card under it") {
        FakeMachine machine;
        add_machine(machine);
        for (const std::string name : {"br0", "bond0", "wg0"}) {
            machine.class_device("/sys/devices/virtual/net/" + name, "net");
        }
        machine.link("/sys/devices/virtual/net/br0/lower_bond0", "/sys/devices/virtual/net/bond0");
        machine.link("/sys/devices/virtual/net/bond0/lower_enp1s0", nic + "/net/enp1s0");
        machine.link("/sys/devices/virtual/net/bond0/lower_br0", "/sys/devices/virtual/net/br0");
        CHECK(lost(machine, over_ssh("192.0.2.1"), {{"192.0.2.1", "br0"}}) == ssh_words);

        CHECK(lost(machine, over_ssh("198.51.100.1"), {{"198.51.100.1", "wg0"}}).empty());
        machine.file("/proc/net/route", "Iface\tDestination\tGateway\nenp1s0\t000200C0\t00000000\n");
        CHECK(lost(machine, over_ssh("198.51.100.1"), {{"198.51.100.1", "wg0"}}).empty());
        machine.file("/proc/net/route", "Iface\tDestination\tGateway\nenp1s0\t00000000\t010200C0\n");
        CHECK(lost(machine, over_ssh("198.51.100.1"), {{"198.51.100.1", "wg0"}}) == ssh_words);
        machine.file("/proc/net/route", "");
        const std::string none(32, '0');
        machine.file("/proc/net/ipv6_route", none + " 00 " + none + " 00 " + none + " ffffffff 1 0 200200 lo\n" +
                                                 none + " 00 " + none + " 00 " + none + " 400 1 0 3 enp1s0\n");
        CHECK(lost(machine, over_ssh("2001:db8::1"), {}) == ssh_words);
    }

    TEST_CASE("a terminal on a USB serial adapter, and a hypervisor's, go with their device") {
        FakeMachine machine;
        add_machine(machine);
        CHECK(
            lost(machine, at_terminal(usb + "/usb1/1-1/1-1:1.0/ttyUSB0/tty/ttyUSB0")) ==
            Sentences{"you are at the terminal ttyUSB0, which 0000:00:02.0 (xhci_hcd) carries: it would go away"});
        CHECK(lost(machine, at_terminal("/sys/devices/pnp0/00:00/tty/ttyS0")).empty());
        CHECK(lost(machine, at_terminal("/sys/devices/virtual/tty/hvc0")).empty());
        machine.device(bus0 + "/0000:00:04.0/virtio0", "virtio", "virtio_console");
        CHECK(lost(machine, at_terminal("/sys/devices/virtual/tty/hvc0")) ==
              Sentences{"you are at the terminal hvc0, which virtio0 (virtio_console) carries: it would go away"});
        machine.file("/proc/consoles", "hvc0                 -W- (EC p  )  229:0\n");  // then it is kept
        CHECK(lost(machine, at_terminal("/sys/devices/virtual/tty/hvc0")).empty());
    }

    TEST_CASE("a virtual terminal loses its screen, and its keyboard where none is left") {
        FakeMachine machine;
        add_machine(machine);
        const std::string screen = "you are at the terminal tty2, whose screen goes dark with 0000:00:03.0 (i915)";
        const Caller caller = at_terminal("/sys/devices/virtual/tty/tty2");
        CHECK(lost(machine, caller) == Sentences{screen});
        const std::string on_usb =
            "N: Name=\"K\"\nS: Sysfs=/devices/pci0000:00/0000:00:02.0/usb1/1-2/input/input3\n"
            "H: Handlers=sysrq kbd leds event3 \n\n"
            "N: Name=\"Power\"\nS: Sysfs=/devices/LNXPWRBN:00/input/input0\nH: Handlers=kbd event0 \n";
        machine.file("/proc/bus/input/devices", on_usb);
        CHECK(lost(machine, caller) ==
              Sentences{screen,
                        "you are at the terminal tty2, whose keyboard goes away with 0000:00:02.0 (xhci_hcd)"});
        machine.file("/proc/bus/input/devices",
                     on_usb + "\nS: Sysfs=/devices/platform/i8042/serio0/input/input1\nH: Handlers=sysrq kbd \n");
        CHECK(lost(machine, caller) == Sentences{screen});
        Policy policy;
        policy.keep = {"i915"};
        CHECK(lost(machine, caller, {}, policy).empty());
    }

    TEST_CASE("a container is told so, by what it is") {
        for (const auto& [file, text, what] : std::vector<std::array<std::string, 3>>{
                 {"/run/systemd/container", "systemd-nspawn\n", "systemd-nspawn"},
                 {"/run/host/container-manager", "lxc\n", "lxc"},
                 {"/run/.containerenv", "", "podman"},
                 {"/.dockerenv", "", "docker"},
                 {"/proc/1/environ", std::string("HOME=/\0container=oci\0", 21), "oci"}}) {
            CAPTURE(file);
            FakeMachine machine;
            CHECK(words(may_unbind_here(machine.root())) == "");
            machine.file(file, text);
            CHECK(words(may_unbind_here(machine.root())) ==
                  "this is a container (" + what +
                      "): its devices belong to the host, and can be brought to rest only from there");
        }
    }

    TEST_CASE("without a sysfs, or with one that cannot be written, nothing is begun") {
        const stillboot::test::TemporaryTree empty;
        CHECK(words(may_unbind_here(empty.root())) ==
              "there is no sysfs at /sys, where devices are listed and unbound");
        FakeMachine machine;
        machine.file("/proc/self/mountinfo", "22 1 0:20 / /sys ro,nosuid - sysfs sysfs rw\n");
        CHECK(words(may_unbind_here(machine.root())) ==
              "sysfs is mounted read-only at /sys, so that nothing can be unbound");
        machine.file("/proc/self/mountinfo",
                     "22 1 0:20 / /sys ro,nosuid - sysfs sysfs rw\n23 1 0:20 / /sys rw - sysfs sysfs rw\n");
        CHECK(words(may_unbind_here(machine.root())) == "");
    }

    TEST_CASE("a kernel without unbind files is told apart from a machine without devices") {
        FakeMachine machine;
        CHECK(words(kernel_can_unbind(machine.inventory())) == "");
        machine.pci(nic, "0x020000");
        CHECK(words(kernel_can_unbind(machine.inventory())) == "");
        machine.bind(nic, "pci", "e1000e");
        CHECK(words(kernel_can_unbind(machine.inventory())) == "");
        std::filesystem::remove(machine.real("/sys/bus/pci/drivers/e1000e/unbind"));
        CHECK(words(kernel_can_unbind(machine.inventory())) ==
              "this kernel lets no driver be unbound: not one in sysfs has an unbind file");
    }

    TEST_CASE("the addresses of this machine include the loopback's, where there is one") {
        const auto addresses = local_addresses();
        const bool any = std::any_of(addresses.begin(), addresses.end(),
                                     [](const LocalAddress& local) { return local.address == "127.0.0.1"; });
        CHECK((any || addresses.empty()));
        for (const auto& local : addresses) {
            CHECK(local.interface != "");
        }
    }
}
