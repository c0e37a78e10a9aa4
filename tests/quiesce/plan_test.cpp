// SPDX-License-Identifier: Apache-2.0
#include "quiesce/plan.hpp"

#include <doctest/doctest.h>

#include "tests/quiesce/fake_machine.hpp"

using namespace stillboot;
using namespace stillboot::quiesce;
using stillboot::quiesce::test::FakeMachine;

namespace {

using Names = std::vector<std::string>;

Names step_names(const Plan& plan) {
    Names names;
    for (const auto& step : plan.steps) {
        names.push_back(step.name);
    }
    return names;
}

Names sentences(const std::vector<Message>& messages) {
    Names out;
    for (const auto& message : messages) {
        out.push_back(message.sentence());
    }
    return out;
}

const std::string bus0 = "/sys/devices/pci0000:00";
const std::string slot1 = bus0 + "/0000:00:01.0";
const std::string slot2 = bus0 + "/0000:00:02.0";
const std::string slot3 = bus0 + "/0000:00:03.0";

/// Three network functions; the orders are the rows' first numbers.
struct OrderRow {
    std::string name;
    std::array<std::uint64_t, 3> bind_orders;
    std::vector<std::array<int, 2>> links;  ///< supplier, consumer
    Names expected;
    std::size_t dropped;
};

const OrderRow order_rows[] = {
    {"latest bound first", {20, 30, 10}, {}, {"0000:00:02.0", "0000:00:01.0", "0000:00:03.0"}, 0},
    {"equal numbers fall back to the path", {5, 5, 5}, {}, {"0000:00:03.0", "0000:00:02.0", "0000:00:01.0"}, 0},
    {"numbers beyond 32 bits",
     {(1ULL << 32) + 1, 0xffffffff, 1ULL << 33},
     {},
     {"0000:00:03.0", "0000:00:01.0", "0000:00:02.0"},
     0},
    {"a consumer goes before its supplier",
     {1, 2, 3},
     {{3, 1}},
     {"0000:00:02.0", "0000:00:01.0", "0000:00:03.0"},
     0},
    {"a chain of links", {1, 2, 3}, {{3, 2}, {2, 1}}, {"0000:00:01.0", "0000:00:02.0", "0000:00:03.0"}, 0},
    {"a circle of two loses the link whose supplier was bound latest",
     {1, 2, 3},
     {{1, 2}, {2, 1}},
     {"0000:00:03.0", "0000:00:02.0", "0000:00:01.0"},
     1},
    {"a circle of three",
     {1, 2, 3},
     {{1, 2}, {2, 3}, {3, 1}},
     {"0000:00:03.0", "0000:00:02.0", "0000:00:01.0"},
     1},
};

}  // namespace

TEST_SUITE("quiesce") {
    TEST_CASE("the order of remove") {
        for (const auto& row : order_rows) {
            CAPTURE(row.name);
            FakeMachine machine;
            for (int slot = 1; slot <= 3; ++slot) {
                const std::string path = bus0 + "/0000:00:0" + std::to_string(slot) + ".0";
                machine.pci(path, "0x020000", "e1000");
                machine.bind_order(path, row.bind_orders.at(static_cast<std::size_t>(slot - 1)));
            }
            for (const auto& [supplier, consumer] : row.links) {
                machine.device_link(bus0 + "/0000:00:0" + std::to_string(supplier) + ".0",
                                    bus0 + "/0000:00:0" + std::to_string(consumer) + ".0");
            }
            const Plan plan = make_plan(machine.inventory(), {});
            CHECK(step_names(plan) == row.expected);
            CHECK(plan.notes.size() == row.dropped);
        }
    }

    TEST_CASE("a dropped link is named") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "e1000");
        machine.pci(slot2, "0x020000", "e1000");
        machine.device_link(slot1, slot2);
        machine.device_link(slot2, slot1);
        CHECK(
            sentences(make_plan(machine.inventory(), {}).notes) ==
            Names{
                "the devices depend on each other in a circle: that /sys/devices/pci0000:00/0000:00:01.0 consumes "
                "/sys/devices/pci0000:00/0000:00:02.0 was left out of account"});
    }

    TEST_CASE("a cycle that holds a tree edge and a link loses the link, and the child still goes first") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "e1000");
        machine.device(slot1 + "/virtio0", "virtio", "virtio_net");
        machine.device_link(slot1 + "/virtio0", slot1);
        const Plan plan = make_plan(machine.inventory(), {});
        CHECK(step_names(plan) == Names{"virtio0", "0000:00:01.0"});
        CHECK(plan.notes.size() == 1);
    }

    TEST_CASE("a dormant link counts for nothing, nor does one for sync_state alone") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "e1000");
        machine.pci(slot2, "0x020000", "e1000");
        machine.device_link(slot2, slot1, "dormant");
        machine.device_link(slot2, slot1);
        machine.file("/sys/devices/virtual/devlink/l2/sync_state_only", "1\n");
        CHECK(step_names(make_plan(machine.inventory(), {})) == Names{"0000:00:02.0", "0000:00:01.0"});
    }

    TEST_CASE("without the devlink class the links in consumers are read") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "e1000");
        machine.pci(slot2, "0x020000", "e1000");
        const std::string directory = "/sys/devices/virtual/x";
        machine.file(directory + "/status", "active\n");
        machine.link(directory + "/supplier", slot2);
        machine.link(directory + "/consumer", slot1);
        machine.link(slot1 + "/supplier:pci:0000:00:02.0", directory);
        CHECK(step_names(make_plan(machine.inventory(), {})) == Names{"0000:00:01.0", "0000:00:02.0"});
    }

    TEST_CASE("a descendant goes before its ancestor whatever the order of binds") {
        FakeMachine machine;
        machine.pci(slot1, "0x010000", "virtio-pci");
        machine.device(slot1 + "/virtio0", "virtio", "virtio_blk");
        machine.bind_order(slot1, 99);  // bound again by hand
        CHECK(step_names(make_plan(machine.inventory(), {})) == Names{"virtio0", "0000:00:01.0"});
    }

    TEST_CASE("a virtual function goes before its physical one, and is switched off by it") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "igb");
        machine.pci(slot2, "0x020000", "igbvf");
        machine.bind_order(slot1, 99);
        machine.file(slot1 + "/sriov_numvfs", "1\n");
        machine.link(slot2 + "/physfn", slot1);
        const Plan plan = make_plan(machine.inventory(), {});
        CHECK(plan.text() ==
              Names{"unbind 0000:00:02.0 (pci, igbvf): it may do DMA [pci]",
                    "switch off the virtual functions of 0000:00:01.0 (pci, igb), after 0000:00:02.0: "
                    "it has 1 virtual functions, which would outlive its driver [pci]",
                    "unbind 0000:00:01.0 (pci, igb), after 0000:00:01.0: it may do DMA [pci]"});
    }

    TEST_CASE("what stands on a block device goes before what carries it") {
        FakeMachine machine;
        machine.pci(slot1, "0x010802", "nvme");
        machine.pci(slot2, "0x018000", "upper");
        machine.bind_order(slot1, 99);
        machine.disk(slot1 + "/nvme/nvme0/nvme0n1", "259:0", "a");
        machine.disk(slot2 + "/block/bcache0", "252:0", "b");
        machine.link(slot2 + "/block/bcache0/slaves/nvme0n1", slot1 + "/nvme/nvme0/nvme0n1");
        CHECK(step_names(make_plan(machine.inventory(), {})) == Names{"0000:00:02.0", "0000:00:01.0"});
    }

    TEST_CASE("displays go after all others but the state store's chain") {
        FakeMachine machine;
        machine.pci(slot1, "0x010802", "nvme");
        machine.pci(slot2, "0x020000", "e1000");
        machine.pci(slot3, "0x030000", "bochs-drm");
        machine.device(slot3 + "/virtio9", "virtio", "virtio_gpu");
        machine.disk(slot1 + "/nvme/nvme0/nvme0n1", "259:0", "a");
        machine.disk(slot1 + "/nvme/nvme0/nvme0n1/nvme0n1p1", "259:1", "");
        Policy policy;
        policy.state_store = "/dev/nvme0n1p1";
        const Plan plan = make_plan(machine.inventory(), policy);
        CHECK(step_names(plan) == Names{"0000:00:02.0", "virtio9", "0000:00:03.0", "0000:00:01.0"});
        CHECK(plan.steps.at(1).deadline == std::chrono::seconds(60));
    }

    TEST_CASE("keep extends to every ancestor and supplier, and says for whose sake") {
        FakeMachine machine;
        machine.pci(bus0 + "/0000:00:1f.0", "0x0c0500", "lpc");
        machine.device(bus0 + "/0000:00:1f.0/iTCO_wdt.1.auto", "platform", "iTCO_wdt");
        machine.class_device(bus0 + "/0000:00:1f.0/iTCO_wdt.1.auto/watchdog/watchdog0", "watchdog");
        machine.pci(slot1, "0x088000", "clock-of-it");
        machine.pci(slot2, "0x020000", "e1000");
        machine.device_link(slot1, bus0 + "/0000:00:1f.0");
        const Plan plan = make_plan(machine.inventory(), {});
        CHECK(step_names(plan) == Names{"0000:00:02.0"});
        const Kept* parent = plan.kept_at(bus0 + "/0000:00:1f.0");
        REQUIRE(parent != nullptr);
        CHECK(parent->for_sake_of == bus0 + "/0000:00:1f.0/iTCO_wdt.1.auto");
        CHECK(parent->reason.sentence() == "iTCO_wdt.1.auto (iTCO_wdt) is kept and stands on it");
        const Kept* supplier = plan.kept_at(slot1);
        REQUIRE(supplier != nullptr);
        CHECK(supplier->for_sake_of == bus0 + "/0000:00:1f.0/iTCO_wdt.1.auto");
        CHECK(supplier->reason.sentence() == "iTCO_wdt.1.auto (iTCO_wdt) is kept and stands on it");
    }

    TEST_CASE("structure that goes along does not keep its parent") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "r8169");
        machine.device(slot1 + "/mdio_bus/r8169-0-100/r8169-0-100:00", "mdio_bus", "RTL8211");
        const Plan plan = make_plan(machine.inventory(), {});
        CHECK(step_names(plan) == Names{"0000:00:01.0"});
        CHECK(plan.kept.at(0).follows);
    }

    TEST_CASE("usb: the storage leaf, then the host controller; hub and usb go along") {
        FakeMachine machine;
        machine.pci(slot1, "0x0c0330", "xhci_hcd");
        machine.device(slot1 + "/usb1", "usb", "usb");
        machine.device(slot1 + "/usb1/1-0:1.0", "usb", "hub");
        machine.device(slot1 + "/usb1/1-1", "usb", "usb");
        machine.device(slot1 + "/usb1/1-1/1-1:1.0", "usb", "usb-storage");
        machine.device(slot1 + "/usb1/1-1/1-1:1.0/host0/target0:0:0/0:0:0:0", "scsi", "sd");
        const Plan plan = make_plan(machine.inventory(), {});
        CHECK(step_names(plan) == Names{"0:0:0:0", "1-1:1.0", "0000:00:01.0"});
        CHECK(plan.kept.size() == 3);
    }

    TEST_CASE("ahci and the disks on libata are kept") {
        FakeMachine machine;
        machine.pci(slot1, "0x010601", "ahci");
        machine.device(slot1 + "/ata1/host0/target0:0:0/0:0:0:0", "scsi", "sd");
        machine.device(slot1 + "/ata2/host1/target1:0:0/1:0:0:0", "scsi", "sr");
        machine.pci(slot2, "0x010185", "ata_piix");
        machine.device(slot2 + "/ata7/host6/target6:0:0/6:0:0:0", "scsi", "sd");
        const Plan plan = make_plan(machine.inventory(), {});
        CHECK(step_names(plan).empty());
        CHECK(plan.kept_at(slot2)->for_sake_of == slot2 + "/ata7/host6/target6:0:0/6:0:0:0");
    }

    TEST_CASE("what backs a console is kept, whatever the settings say") {
        FakeMachine machine;
        machine.pci(slot1, "0x070002", "serial");
        machine.class_device(slot1 + "/tty/ttyS4", "tty");
        machine.link("/sys/dev/char/4:68", slot1 + "/tty/ttyS4");
        machine.file("/proc/consoles", "ttyS4                -W- (EC p a)    4:68\ntty0  -WU (E  p  )    4:7\n");
        Policy policy;
        policy.unbind = {"serial"};
        const Plan plan = make_plan(machine.inventory(), policy);
        CHECK(plan.steps.empty());
        CHECK(plan.kept_at(slot1)->reason.sentence() == "the console ttyS4 stands on it");
    }

    TEST_CASE("a virtio console is kept while a hypervisor console is in use, with the function under it") {
        FakeMachine machine;
        machine.pci(slot1, "0x078000", "virtio-pci");
        machine.device(slot1 + "/virtio0", "virtio", "virtio_console");
        CHECK(make_plan(machine.inventory(), {}).steps.size() == 2);
        machine.file("/proc/consoles", "hvc0                 -W- (EC p  )  229:0\n");
        CHECK(make_plan(machine.inventory(), {}).steps.empty());
    }

    TEST_CASE("settings name a device by driver, id, name, path or glob") {
        for (const std::string name :
             {"e1000", "e1*", "8086:100e", "8086:100E", "0000:00:01.0", "/sys/devices/pci0000:00/0000:00:01.0"}) {
            CAPTURE(name);
            FakeMachine machine;
            machine.pci(slot1, "0x020000", "e1000");
            Policy policy;
            policy.keep = {name};
            CHECK(make_plan(machine.inventory(), policy).steps.empty());
        }
        CHECK(split_names("a, b\tc,,d ") == Names{"a", "b", "c", "d"});
    }

    TEST_CASE("a platform device is unbound only where it is listed or the settings name it") {
        FakeMachine machine;
        machine.device("/sys/devices/platform/a.virtio", "platform", "virtio-mmio");
        machine.device("/sys/devices/platform/b", "platform", "unheard-of");
        CHECK(step_names(make_plan(machine.inventory(), {})) == Names{"a.virtio"});
        Policy policy;
        policy.unbind = {"unheard-of"};
        CHECK(step_names(make_plan(machine.inventory(), policy)) == Names{"b", "a.virtio"});
    }

    TEST_CASE("bridges, watchdogs, TPMs, IPMI and frame buffers are kept") {
        FakeMachine machine;
        machine.pci(slot1, "0x060400", "pcieport");
        machine.pci(slot1 + "/0000:01:00.0", "0x020000", "e1000e");
        machine.pci(slot2, "0x088000", "i6300ESB timer");
        machine.device("/sys/devices/platform/MSFT0101:00", "platform", "tpm_tis");
        machine.class_device("/sys/devices/platform/MSFT0101:00/tpm/tpm0", "tpm");
        machine.device("/sys/devices/platform/ipmi", "platform", "ipmi_si");
        machine.device("/sys/devices/platform/simple-framebuffer.0", "platform", "simple-framebuffer");
        machine.pci(slot3, "0x068000", "ntb_hw_intel");
        const Plan plan = make_plan(machine.inventory(), {});
        CHECK(step_names(plan) == Names{"0000:00:03.0", "0000:01:00.0"});
        CHECK(plan.kept.size() == 5);
    }

    TEST_CASE("a driver without an unbind file has no step and says so, and does not keep its parent") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "e1000");
        std::filesystem::remove(machine.real("/sys/bus/pci/drivers/e1000/unbind"));
        const Plan plan = make_plan(machine.inventory(), {});
        CHECK(plan.steps.empty());
        CHECK(plan.kept.at(0).reason.sentence() == "its driver cannot be unbound");
        machine.pci(slot2, "0x010000", "virtio-pci");
        machine.device(slot2 + "/virtio0", "virtio", "fixed");
        std::filesystem::remove(machine.real("/sys/bus/virtio/drivers/fixed/unbind"));
        CHECK(step_names(make_plan(machine.inventory(), {})) == Names{"0000:00:02.0"});
    }

    TEST_CASE("the chain of a scan that hangs is kept and named") {
        FakeMachine machine;
        machine.pci(slot1, "0x010802", "nvme");
        machine.disk(slot1 + "/nvme/nvme0/nvme0n1", "259:0", "a");
        machine.disk(slot1 + "/nvme/nvme0/nvme0n1/nvme0n1p2", "259:2", "");
        machine.disk("/sys/devices/virtual/block/loop0", "7:0", "");
        machine.file("/sys/devices/virtual/block/loop0/loop/backing_file", "/dev/nvme0n1p2\n");
        const Plan before = make_plan(machine.inventory(), {});
        CHECK(sentences(before.refusals) ==
              Names{"the loop device loop0 shows /dev/nvme0n1p2, which 0000:00:01.0 (nvme) carries"});
        Policy policy;
        policy.hung = {"/dev/nvme0n1p2"};
        const Plan plan = make_plan(machine.inventory(), policy);
        CHECK(plan.steps.empty());
        CHECK(plan.refusals.empty());
        CHECK(plan.kept_at(slot1)->reason.sentence() == "kept because a scan of /dev/nvme0n1p2 hangs on it");
        Policy of_silent;
        of_silent.silent = {"/dev/nvme0n1"};
        const Plan kept = make_plan(machine.inventory(), of_silent);
        CHECK(kept.steps.empty());
        CHECK(kept.kept_at(slot1)->reason.sentence() ==
              "kept because /dev/nvme0n1 does not answer its requests, for which its removal would wait");
        policy.silent = of_silent.silent;
        CHECK(make_plan(machine.inventory(), policy).kept_at(slot1)->reason.code() == "quiesce.keep_hung");
    }

    TEST_CASE("two plans of one inventory are the same") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "e1000");
        machine.pci(slot2, "0x010802", "nvme");
        const Inventory inventory = machine.inventory();
        CHECK(make_plan(inventory, {}) == make_plan(inventory, {}));
    }

    TEST_CASE("a plan reads as plain lines") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "e1000");
        machine.pci(slot2, "0x010601", "ahci");
        CHECK(make_plan(machine.inventory(), {}).text() ==
              Names{"unbind 0000:00:01.0 (pci, e1000): it may do DMA [pci]",
                    "keep 0000:00:02.0 (pci, ahci): SATA: the driver's shutdown is gentler than its unbind, which "
                    "puts disks in standby [ahci]"});
    }
}
