// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "daemon/discover/block_facts.hpp"
#include "daemon/discover/device_machine.hpp"

using namespace stillboot::discover;

namespace {

BlockFacts partition_facts() {
    BlockFacts facts;
    facts.devpath = "/devices/pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1/nvme0n1p2";
    facts.disk_devpath = "/devices/pci0000:00/0000:00:04.0/nvme/nvme0/nvme0n1";
    facts.name = "nvme0n1p2";
    facts.node = "/dev/nvme0n1p2";
    facts.is_partition = true;
    facts.partition = 2;
    facts.id_path = "pci-0000:00:04.0-nvme-1";
    facts.serial = "QEMU_1";
    facts.model = "QEMU NVMe Ctrl";
    facts.size_bytes = 4096;
    return facts;
}

}  // namespace

TEST_SUITE("discover") {
    TEST_CASE("the id is the path with the partition, else the serial number, else the kernel's path") {
        BlockFacts facts = partition_facts();
        CHECK(stable_id(facts) == "pci-0000:00:04.0-nvme-1-part2");
        facts.id_path.clear();
        CHECK(stable_id(facts) == "serial-QEMU_1-part2");
        facts.serial.clear();
        CHECK(stable_id(facts) == "pci0000:00-0000:00:04.0-nvme-nvme0-nvme0n1-part2");
        facts.is_partition = false;
        CHECK(stable_id(facts) == "pci0000:00-0000:00:04.0-nvme-nvme0-nvme0n1");
        facts.id_path = "pci-0000:00:04.0/odd";
        CHECK(stable_id(facts) == "pci-0000:00:04.0-odd");
    }

    TEST_CASE("titles are the model with the partition, else the kernel's name") {
        BlockFacts facts = partition_facts();
        CHECK(title_of(facts) == "QEMU NVMe Ctrl, part 2");
        facts.model.clear();
        CHECK(title_of(facts) == "nvme0n1p2");
    }

    TEST_CASE("devices that are views, memory or not connected are not looked at") {
        for (const char* name : {"loop0", "ram3", "zram0", "dm-0", "nbd1", "fd0", "mtdblock2"}) {
            CHECK(is_ignored(name));
        }
        for (const char* name : {"sda", "sda1", "vda", "nvme0n1", "md127", "sr0", "mmcblk0", "loopy", "ramdisk"}) {
            CAPTURE(name);
            CHECK_FALSE(is_ignored(name));
        }
    }

    TEST_CASE("no medium, no bytes and a bare partition table are reasons not to scan") {
        BlockFacts facts = partition_facts();
        CHECK_FALSE(why_not_scanned(facts));
        facts.size_bytes = 0;
        CHECK(why_not_scanned(facts)->sentence() == "no medium");
        facts = partition_facts();
        facts.has_medium = false;
        CHECK(why_not_scanned(facts)->sentence() == "no medium");
        facts = partition_facts();
        facts.is_partition = false;
        facts.has_partition_table = true;
        CHECK(why_not_scanned(facts)->code() == "daemon.partitioned");
        facts.filesystem = "iso9660";
        CHECK_FALSE(why_not_scanned(facts));
    }

    TEST_CASE("udev's escapes are decoded and what only looks like one is left") {
        CHECK(decode_udev("My\\x20Disk") == "My Disk");
        CHECK(decode_udev("\\x2f\\x2F\\x5c") == "//\\");
        CHECK(decode_udev("\\x2") == "\\x2");
        CHECK(decode_udev("\\xzz\\x41") == "\\xzzA");
        CHECK(decode_udev("").empty());
    }

    TEST_CASE("what asks for a scan while one runs is remembered once") {
        DeviceMachine machine;
        CHECK(machine.on_scan_wanted().enqueue);
        CHECK_FALSE(machine.on_scan_wanted().enqueue);
        machine.on_started();
        CHECK(machine.on_scan_wanted() == DeviceActions());
        CHECK(machine.on_scan_wanted() == DeviceActions());
        const auto ended = machine.on_ended();
        CHECK(ended.publish);
        CHECK(ended.enqueue);
        machine.on_started();
        CHECK(machine.on_ended().enqueue == false);
        CHECK(machine.state() == DeviceMachine::State::idle);
    }

    TEST_CASE("a scan of what is no longer there is ended and its result thrown away") {
        DeviceMachine machine;
        machine.on_scan_wanted();
        machine.on_started();
        CHECK(machine.on_content_changed().cancel);
        CHECK_FALSE(machine.on_content_changed().cancel);
        const auto ended = machine.on_ended();
        CHECK_FALSE(ended.publish);
        CHECK(ended.enqueue);
    }

    TEST_CASE("every sequence of events keeps one scan at most, and a device that is gone stays gone") {
        for (int sequence = 0; sequence < 5 * 5 * 5 * 5 * 5 * 5; ++sequence) {
            DeviceMachine machine;
            bool running = false;
            bool gone = false;
            bool forgotten = false;
            int code = sequence;
            for (int step = 0; step < 6; ++step, code /= 5) {
                DeviceActions actions;
                switch (code % 5) {
                    case 0: actions = machine.on_scan_wanted(); break;
                    case 1: actions = machine.on_content_changed(); break;
                    case 2:
                        if (machine.state() == DeviceMachine::State::queued) {
                            REQUIRE_FALSE(running);
                            machine.on_started();
                            running = true;
                        }
                        break;
                    case 3:
                        if (running) {
                            running = false;
                            actions = machine.on_ended();
                        }
                        break;
                    case 4:
                        actions = machine.on_removed();
                        gone = true;
                        break;
                }
                REQUIRE_FALSE((actions.cancel && !running));
                REQUIRE_FALSE((gone && (actions.enqueue || actions.publish)));
                REQUIRE_FALSE((actions.forget && forgotten));
                forgotten = forgotten || actions.forget;
                REQUIRE((machine.state() == DeviceMachine::State::gone) == gone);
                REQUIRE(forgotten == (gone && !running));
            }
        }
    }
}
