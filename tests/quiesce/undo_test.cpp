// SPDX-License-Identifier: Apache-2.0
#include "quiesce/undo.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "quiesce/executor.hpp"
#include "tests/quiesce/three_devices.hpp"

using namespace std::chrono_literals;
using namespace stillboot;
using namespace stillboot::quiesce;
using namespace stillboot::quiesce::test;
using Lines = std::vector<std::string>;

TEST_SUITE("quiesce") {
    TEST_CASE("undo brings everything back, top down, children by identity") {
        World world;
        const Execution execution = execute(world.plan(), world.machine.inventory(), world.ports(), {});
        REQUIRE(execution.ok());
        world.kernel.writes.clear();
        const UndoReport report = undo(execution.record, world.ports());
        CHECK(report.complete());
        CHECK(world.everything_is_there());
        CHECK(world.kernel.writes == Lines{"/sys/bus/pci/drivers/virtio-pci/bind 0000:00:03.0",
                                           "/sys/bus/pci/drivers/nvme/bind 0000:00:01.0",
                                           "/sys/bus/pci/drivers/e1000/bind 0000:00:02.0"});
        REQUIRE(report.notes.size() == 1);
        CHECK(report.notes.front().sentence() == "the disk vda is back as vdb");
        CHECK(world.events.acts == Lines{"stop", "start", "settle"});
    }

    TEST_CASE("whichever write fails or hangs, undo brings everything back") {
        for (const int error_number : {EIO, EPERM, 0, -1}) {
            for (int step = 1; step <= 4; ++step) {
                CAPTURE(error_number);
                CAPTURE(step);
                World world;
                const Plan plan = world.plan();
                world.kernel.fail_at = step;
                world.kernel.fail_with = error_number;
                const Execution execution = execute(plan, world.machine.inventory(), world.ports(), {});
                REQUIRE_FALSE(execution.ok());
                CHECK(execution.failure->code() == (error_number == 0  ? "quiesce.hung"
                                                    : error_number < 0 ? "quiesce.crashed"
                                                                       : "quiesce.unbind_failed"));
                // The first three go together; the parent of the first begins while another one still hangs.
                CHECK(execution.outcomes.size() == (step < 4 && (error_number != 0 || step == 1) ? 3 : 4));
                CHECK(execution.record.unbound.size() == execution.outcomes.size());
                CHECK(execution.record.in_flight.empty());
                const UndoReport report = undo(execution.record, world.ports());
                CHECK(report.complete());
                CHECK(world.everything_is_there());
            }
        }
    }

    TEST_CASE("undo names a disk that does not read and a card that does not come back") {
        World world;
        const Execution execution = execute(world.plan(), world.machine.inventory(), world.ports(), {});
        world.kernel.on_bind = [&](const std::string& path) {
            if (path != slot2) {
                world.bound(path);
            }
            std::filesystem::remove(world.machine.real("/dev/nvme0n1"));
        };
        const UndoReport report = undo(execution.record, world.ports());
        Lines sentences;
        for (const auto& message : report.not_back) {
            sentences.push_back(message.sentence());
        }
        CHECK(sentences == Lines{"the disk nvme0n1 cannot be read: EIO (Input/output error)",
                                 "the network interface eth0 has not come back"});
    }

    TEST_CASE("undo waits for what comes late, and names a driver that refuses") {
        World world;
        const Execution execution = execute(world.plan(), world.machine.inventory(), world.ports(), {});
        world.kernel.on_bind = [&](const std::string& path) {
            if (path != slot1) {
                world.bound(path);
            }
        };
        int waits = 0;
        world.time.on_wait = [&] {
            if (++waits == 5) {
                world.bound(slot1);
            }
        };
        CHECK(undo(execution.record, world.ports()).complete());
        CHECK(waits == 5);

        World other;
        const Execution again = execute(other.plan(), other.machine.inventory(), other.ports(), {});
        other.kernel.fail_at = static_cast<int>(other.kernel.writes.size()) + 2;
        other.kernel.fail_with = EBUSY;
        const UndoReport report = undo(again.record, other.ports());
        REQUIRE(report.not_back.size() == 2);
        CHECK(report.not_back.front().sentence() ==
              "/sys/devices/pci0000:00/0000:00:01.0 is not bound to nvme again: EBUSY (Device or resource busy)");
        CHECK(report.not_back.back().sentence() == "the disk nvme0n1 has not come back");
    }

    TEST_CASE("undo names a device of any bus whose remove still hangs, and waits for nothing else") {
        World world;
        world.kernel.on_unbind = [](const std::string&) {};
        world.kernel.on_bind = [](const std::string&) {};
        Execution execution = execute(world.plan(), world.machine.inventory(), world.ports(), {});
        REQUIRE(execution.ok());
        execution.record.hung = {virtio};
        world.kernel.fail_at = static_cast<int>(world.kernel.writes.size()) + 4;
        world.kernel.fail_with = 0;
        int waits = 0;
        world.time.on_wait = [&] { ++waits; };
        const UndoReport report = undo(execution.record, world.ports());
        CHECK(world.kernel.writes.back() == "/sys/bus/virtio/drivers/virtio_blk/bind virtio0");
        REQUIRE(report.not_back.size() == 1);
        CHECK(report.not_back.front().sentence() == virtio + " (virtio_blk) still hangs in its unbind");
        CHECK(waits == 1);  // for the bind itself
    }

    TEST_CASE("a record of another boot is not undone") {
        World world;
        UndoRecord record;
        record.boot_id = "another";
        record.autoprobe["pci"] = "0";
        const UndoReport report = undo(record, world.ports());
        CHECK_FALSE(report.complete());
        CHECK(report.not_back.front().code() == "quiesce.other_boot");
        CHECK(world.machine.text("/sys/bus/pci/drivers_autoprobe") == "1");
    }

    TEST_CASE("undo brings together the drivers and the devices that came while autoprobe was off") {
        World world;
        world.machine.device("/sys/devices/pci0000:00/0000:00:08.0", "pci");  // its driver is being loaded
        world.machine.file("/sys/devices/pci0000:00/0000:00:08.0/modalias", "pci:late\n");
        world.machine.device("/sys/devices/pci0000:00/0000:00:09.0", "pci");  // somebody has unbound it
        world.machine.file("/sys/devices/pci0000:00/0000:00:09.0/modalias", "pci:e1000\n");
        const Execution execution = execute(world.plan(), world.machine.inventory(), world.ports(), {});
        REQUIRE(execution.ok());
        world.machine.driver("pci", "late");
        world.machine.device("/sys/devices/pci0000:00/0000:00:0a.0", "pci");  // it was plugged in
        world.machine.file("/sys/devices/pci0000:00/0000:00:0a.0/modalias", "pci:e1000\n");
        world.kernel.writes.clear();
        CHECK(undo(execution.record, world.ports()).complete());
        CHECK(world.everything_is_there());
        const auto driver_of = [&](const std::string& name) {
            return current_driver(world.machine.root(), "/sys/devices/pci0000:00/" + name);
        };
        CHECK(driver_of("0000:00:08.0") == "late");
        CHECK(driver_of("0000:00:09.0").empty());
        CHECK(driver_of("0000:00:0a.0") == "e1000");
        CHECK(world.kernel.writes.size() ==
              7);  // three that were unbound, three at the new driver, one new device
    }

    TEST_CASE("undo names a device that came meanwhile and whose probe does not return") {
        World world;
        const Execution execution = execute(world.plan(), world.machine.inventory(), world.ports(), {});
        REQUIRE(execution.ok());
        world.machine.device("/sys/devices/pci0000:00/0000:00:0a.0", "pci");
        world.kernel.fail_at = 5;
        const UndoReport report = undo(execution.record, world.ports());
        REQUIRE(report.not_back.size() == 1);
        CHECK(report.not_back.front().sentence() ==
              "0000:00:0a.0 came meanwhile, and the probe of its driver does not return "
              "(/sys/bus/pci/drivers_probe)");
        CHECK(world.everything_is_there());
    }
}
