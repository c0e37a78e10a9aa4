// SPDX-License-Identifier: Apache-2.0
#include "quiesce/record.hpp"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "quiesce/executor.hpp"
#include "quiesce/json.hpp"
#include "quiesce/undo.hpp"
#include "tests/quiesce/three_devices.hpp"

using namespace std::chrono_literals;
using namespace stillboot;
using namespace stillboot::quiesce;
using namespace stillboot::quiesce::test;
using Lines = std::vector<std::string>;

TEST_SUITE("quiesce") {
    TEST_CASE("a record survives its JSON form, and a daemon that starts again undoes from it") {
        World world;
        Execution execution = execute(world.plan(), world.machine.inventory(), world.ports(), {});
        execution.record.hung = {slot1};
        execution.record.virtual_functions["/sys/x"] = 3;
        const auto back = record_from_json(to_json(execution.record));
        REQUIRE(back);
        CHECK(*back == execution.record);
        execution.record.virtual_functions.clear();
        CHECK(undo(record_from_json(to_json(execution.record)).value(), world.ports()).complete());
        CHECK(world.everything_is_there());
    }

    TEST_CASE("a newer or damaged record is refused in words") {
        auto newer = to_json(UndoRecord());
        newer.as_object()["version"] = 2;
        CHECK(record_from_json(newer).error().sentence() ==
              "the record has the format version 2, which a later Stillboot wrote");
        const auto whole = to_json(UndoRecord());
        for (const auto& [key, value] : whole.as_object()) {
            auto damaged = whole;
            damaged.as_object().erase(key);
            CHECK(record_from_json(damaged).error().code() == "quiesce.record_damaged");
            damaged.as_object()[key] = boost::json::array{1};
            if (!value.is_array()) {
                CHECK(record_from_json(damaged).error().code() == "quiesce.record_damaged");
            }
        }
        CHECK(record_from_json(boost::json::value(7)).error().code() == "quiesce.record_damaged");
    }

    TEST_CASE("identities leave out the numbers of the running kernel and nothing else") {
        const std::pair<std::string, std::string> rows[] = {
            {"/sys/devices/pci0000:00/0000:00:05.0/virtio3", "/sys/devices/pci0000:00/0000:00:05.0/virtio*"},
            {"/sys/devices/a/host2/target2:0:1/2:0:1:0", "/sys/devices/a/host*/target*:0:1/*:0:1:0"},
            {"/sys/devices/a/usb1/1-1.2/1-1.2:1.0", "/sys/devices/a/usb*/*-1.2/*-1.2:1.0"},
            {"/sys/devices/a/nvme/nvme0/nvme0n1", "/sys/devices/a/nvme/nvme*/nvme*n1"},
            {"/sys/devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n1",
             "/sys/devices/virtual/nvme-subsystem/nvme-subsys*/nvme*n1"},
            {"/sys/devices/a/mmc_host/mmc0/mmc0:4567/block/mmcblk0",
             "/sys/devices/a/mmc_host/mmc*/mmc*:4567/block/*"},
            {"/sys/devices/a/net/eth0", "/sys/devices/a/net/*"},
            {"/sys/devices/a/host1/port-1:0/end_device-1:0", "/sys/devices/a/host*/port-*:0/end_device-*:0"},
            {"/sys/devices/a/iTCO_wdt.1.auto", "/sys/devices/a/iTCO_wdt.*.auto"},
            {"/sys/devices/pci0000:00/0000:00:1f.0/hostess", "/sys/devices/pci0000:00/0000:00:1f.0/hostess"},
        };
        for (const auto& [path, identity] : rows) {
            CHECK(stable_identity(path) == identity);
        }
    }
}
