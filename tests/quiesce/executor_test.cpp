// SPDX-License-Identifier: Apache-2.0
#include "quiesce/executor.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "quiesce/undo.hpp"
#include "tests/quiesce/three_devices.hpp"

using namespace std::chrono_literals;
using namespace stillboot;
using namespace stillboot::quiesce;
using namespace stillboot::quiesce::test;
using Lines = std::vector<std::string>;

TEST_SUITE("quiesce") {
    TEST_CASE("a plan is carried out as its graph allows, with a record and a line before each batch of acts") {
        World world;
        ExecuteOptions options;
        std::vector<std::size_t> recorded;
        options.runner.persist = [&](const UndoRecord& record) -> Result<void> {
            recorded.push_back(record.unbound.size());
            return {};
        };
        const Execution execution = execute(world.plan(), world.machine.inventory(), world.ports(), options);
        REQUIRE(execution.ok());
        CHECK(world.kernel.writes == Lines{"/sys/bus/virtio/drivers/virtio_blk/unbind virtio0",
                                           "/sys/bus/pci/drivers/e1000/unbind 0000:00:02.0",
                                           "/sys/bus/pci/drivers/nvme/unbind 0000:00:01.0",
                                           "/sys/bus/pci/drivers/virtio-pci/unbind 0000:00:03.0"});
        CHECK(world.journal.lines ==
              Lines{"stop udev's event queue", "switch off automatic binding on 2 buses",
                    "unbind 1/4: virtio0 (virtio, virtio_blk)", "unbind 2/4: 0000:00:02.0 (pci, e1000)",
                    "unbind 3/4: 0000:00:01.0 (pci, nvme)", "unbind 4/4: 0000:00:03.0 (pci, virtio-pci)"});
        CHECK(recorded == std::vector<std::size_t>{0, 0, 3, 4});
        CHECK(execution.record.in_flight.empty());
        CHECK(world.machine.text("/sys/bus/pci/drivers_autoprobe") == "0");
        CHECK(world.machine.text("/sys/bus/virtio/drivers_autoprobe") == "0");
        CHECK(world.machine.text("/proc/sys/kernel/printk_devkmsg").starts_with("on\n"));  // a file keeps its tail
        CHECK(world.events.acts == Lines{"stop"});
    }

    TEST_CASE("a hang is reported by device, driver and seconds, and recorded") {
        World world;
        world.kernel.fail_at = 2;
        const Execution execution = execute(world.plan(), world.machine.inventory(), world.ports(), {});
        REQUIRE(execution.failure);
        CHECK(execution.failure->sentence() ==
              "/sys/devices/pci0000:00/0000:00:02.0 (e1000) did not let go within 10 s: its unbind hangs in the "
              "kernel, and no kexec may follow");
        CHECK(execution.record.hung == Lines{slot2});
        CHECK(execution.outcomes.back().end == StepOutcome::End::hung);
        CHECK(world.journal.lines.back() == execution.failure->sentence());
    }

    TEST_CASE("a record that cannot be kept stops everything before its act, at each act") {
        for (std::size_t act = 1; act <= 4; ++act) {
            CAPTURE(act);
            World world;
            ExecuteOptions options;
            std::size_t count = 0;
            options.runner.persist = [&](const UndoRecord&) -> Result<void> {
                return ++count == act ? Error("base.write_failed", {{"path", "/run"}, {"errno", "ENOSPC"}})
                                      : Result<void>();
            };
            const Execution execution = execute(world.plan(), world.machine.inventory(), world.ports(), options);
            REQUIRE_FALSE(execution.ok());
            CHECK(execution.failure->code() == "base.write_failed");
            CHECK(world.kernel.writes.size() == (act < 4 ? 0 : 3));
            CHECK(execution.record.unbound.size() == world.kernel.writes.size());
            CHECK(undo(execution.record, world.ports()).complete());
            CHECK(world.everything_is_there());
        }
    }

    TEST_CASE("what followed a step is recorded, and its absence after an undo is a note") {
        World world;
        world.machine.device(slot2 + "/mdio/phy0", "mdio_bus", "phy");
        const Plan plan = world.plan();
        const Execution execution = execute(plan, world.machine.inventory(), world.ports(), {});
        REQUIRE(execution.record.followers.size() == 1);
        world.remove(slot2 + "/mdio");
        world.remove("/sys/bus/mdio_bus/devices/phy0");
        const UndoReport report = undo(execution.record, world.ports());
        CHECK(report.complete());
        CHECK(report.notes.front().sentence() ==
              "/sys/devices/pci0000:00/0000:00:02.0/mdio/phy0 (phy) is not bound again, although what it stands "
              "on is");
        CHECK(execute(plan, world.machine.inventory(), world.ports(), {})
                  .record.followers.empty());  // gone since the plan was made
    }

    TEST_CASE("a stop request is heard between acts, and undo follows") {
        World world;
        std::stop_source source;
        ExecuteOptions options;
        options.runner.stop = source.get_token();
        options.runner.on_progress = [&](const StepProgress& progress) {
            CHECK(progress.total == 4);
            if (progress.done >= 1) {
                source.request_stop();
            }
        };
        world.kernel.takes["/sys/bus/pci/drivers/e1000/unbind 0000:00:02.0"] = 1s;
        const Execution execution = execute(world.plan(), world.machine.inventory(), world.ports(), options);
        REQUIRE_FALSE(execution.ok());
        CHECK(execution.failure->code() == "quiesce.cancelled");
        CHECK(world.kernel.writes.size() == 3);  // those under way are waited for
        CHECK(execution.outcomes.size() == 3);
        CHECK(execution.record.unbound.size() == 3);
        CHECK(undo(execution.record, world.ports()).complete());
        CHECK(world.everything_is_there());
    }

    TEST_CASE("a plan with refusals touches nothing") {
        World world;
        world.machine.file("/proc/self/mountinfo", "30 1 259:0 / /x rw - ext4 /dev/nvme0n1 rw\n");
        const Execution execution = execute(world.plan(), world.machine.inventory(), world.ports(), {});
        REQUIRE_FALSE(execution.ok());
        CHECK(execution.failure->sentence() ==
              "no device may be touched: /dev/nvme0n1 is mounted at /x, and 0000:00:01.0 (nvme) carries it");
        CHECK(world.kernel.writes.empty());
        CHECK(world.machine.text("/sys/bus/pci/drivers_autoprobe") == "1");
        CHECK(world.events.acts.empty());
    }

    TEST_CASE("with hands off nothing is stopped or switched off either") {
        World world;
        Policy policy;
        policy.mode = QuiesceMode::off;
        const Inventory machine = world.machine.inventory();
        CHECK(execute(make_plan(machine, policy), machine, world.ports(), {}).ok());
        CHECK(world.kernel.writes.empty());
        CHECK(world.machine.text("/sys/bus/pci/drivers_autoprobe") == "1");
        CHECK(world.events.acts.empty());
    }

    TEST_CASE("what a parent's unbind took away is already gone, and that is success") {
        World world;
        const Plan plan = world.plan();
        world.machine.unbind(virtio);
        const Execution execution = execute(plan, world.machine.inventory(), world.ports(), {});
        REQUIRE(execution.ok());
        CHECK(execution.outcomes.front().end == StepOutcome::End::already_gone);
        CHECK(to_word(execution.outcomes.front().end) == "already gone");
    }

    TEST_CASE("two that hang are both recorded, and the first is told") {
        World world;
        world.kernel.takes["/sys/bus/pci/drivers/e1000/unbind 0000:00:02.0"] = 1h;
        world.kernel.takes["/sys/bus/pci/drivers/nvme/unbind 0000:00:01.0"] = 1h;
        std::vector<Lines> kept;
        ExecuteOptions options;
        options.runner.persist = [&](const UndoRecord& record) -> Result<void> {
            kept.push_back(record.in_flight);
            return {};
        };
        const Execution execution = execute(world.plan(), world.machine.inventory(), world.ports(), options);
        REQUIRE(execution.failure);
        CHECK(execution.failure->message().param("device") == slot2);
        CHECK(execution.record.hung == Lines{slot2, slot1});
        CHECK(kept.at(2) == Lines{virtio, slot2, slot1});
        CHECK(kept.at(3) == Lines{slot2, slot1, slot3});
    }

    TEST_CASE("what was bound while we worked is unbound too") {
        World world;
        const Plan plan = world.plan();
        auto usual = world.kernel.on_unbind;
        world.kernel.on_unbind = [&, usual](const std::string& path) {
            usual(path);
            if (path == slot1) {
                world.machine.pci("/sys/devices/pci0000:00/0000:00:09.0", "0x020000", "e1000");
            }
        };
        const Execution execution = execute(plan, world.machine.inventory(), world.ports(), {});
        REQUIRE(execution.ok());
        CHECK(world.kernel.writes.back() == "/sys/bus/pci/drivers/e1000/unbind 0000:00:09.0");
        CHECK(world.journal.lines.back() == "unbind 5/5: 0000:00:09.0 (pci, e1000)");
    }

    TEST_CASE("a device that is bound again each time is given up on") {
        World world;
        auto usual = world.kernel.on_unbind;
        world.kernel.on_unbind = [&, usual](const std::string& path) {
            usual(path);
            if (path == slot1) {
                world.machine.bind(slot1, "pci", "nvme");
            }
        };
        const Execution execution = execute(world.plan(), world.machine.inventory(), world.ports(), {});
        REQUIRE_FALSE(execution.ok());
        CHECK(execution.failure->code() == "quiesce.binds_again");
        CHECK(execution.failure->sentence() == "0000:00:01.0 (nvme) is bound again as often as it is unbound");
        const auto& unbound = execution.record.unbound;
        CHECK(std::count_if(unbound.begin(), unbound.end(), [](const auto& each) { return each.path == slot1; }) ==
              1);
    }

    TEST_CASE("virtual functions are switched off before the physical one goes, and given back") {
        World world;
        world.machine.file(slot2 + "/sriov_numvfs", "2\n");
        const Execution execution = execute(world.plan(), world.machine.inventory(), world.ports(), {});
        REQUIRE(execution.ok());
        CHECK(std::find(world.kernel.writes.begin(), world.kernel.writes.end(), slot2 + "/sriov_numvfs 0") <
              std::find(world.kernel.writes.begin(), world.kernel.writes.end(),
                        "/sys/bus/pci/drivers/e1000/unbind 0000:00:02.0"));
        CHECK(execution.record.virtual_functions.at(slot2) == 2);
        CHECK(undo(execution.record, world.ports()).complete());
        CHECK(world.kernel.writes.back() == slot2 + "/sriov_numvfs 2");
    }
}
