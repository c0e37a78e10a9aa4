// SPDX-License-Identifier: Apache-2.0
#include "quiesce/executor.hpp"

#include <doctest/doctest.h>
#include <algorithm>

#include "quiesce/json.hpp"
#include "quiesce/undo.hpp"
#include "tests/quiesce/fake_machine.hpp"

using namespace std::chrono_literals;
using namespace stillboot;
using namespace stillboot::quiesce;
using stillboot::quiesce::test::FakeMachine;
using stillboot::quiesce::test::FakeWorld;

namespace {

using Lines = std::vector<std::string>;

const std::string slot1 = "/sys/devices/pci0000:00/0000:00:01.0";
const std::string slot2 = "/sys/devices/pci0000:00/0000:00:02.0";
const std::string slot3 = "/sys/devices/pci0000:00/0000:00:03.0";
const std::string virtio = slot3 + "/virtio0";

/// An NVMe disk, a network card, a virtio disk whose child goes and comes with its function.
struct World : FakeWorld {
    World() {
        machine.pci(slot1, "0x010802", "nvme");
        machine.disk(slot1 + "/nvme/nvme0/nvme0n1", "259:0", "eui.1");
        machine.pci(slot2, "0x020000", "e1000");
        machine.interface(slot2 + "/net/eth0", "52:54:00:00:00:01");
        machine.pci(slot3, "0x010000", "virtio-pci");
        add_virtio("virtio0", "vda");
        kernel.on_unbind = [this](const std::string& path) { unbound(path); };
        kernel.on_bind = [this](const std::string& path) { bound(path); };
    }

    void add_virtio(const std::string& name, const std::string& disk_name) {
        machine.device(slot3 + "/" + name, "virtio", "virtio_blk");
        machine.disk(slot3 + "/" + name + "/block/" + disk_name, "254:0", "vd-1");
        file_of_disk_ = disk_name;
    }

    void remove(const std::string& path) const { std::filesystem::remove_all(machine.real(path)); }

    void unbound(const std::string& path) {
        if (path == slot1) {
            remove(slot1 + "/nvme");
            remove("/sys/class/block/nvme0n1");
        } else if (path == slot2) {
            remove(slot2 + "/net");
            remove("/sys/class/net/eth0");
        } else if (path.starts_with(virtio)) {
            remove(path + "/block");
            remove("/sys/class/block/" + file_of_disk_);
        } else if (path == slot3) {
            remove(virtio);
            remove("/sys/bus/virtio/devices/virtio0");
        }
    }

    void bound(const std::string& path) {
        if (path == slot1) {
            machine.disk(slot1 + "/nvme/nvme0/nvme0n1", "259:0", "eui.1");
        } else if (path == slot2) {
            machine.interface(slot2 + "/net/eth0", "52:54:00:00:00:01");
            machine.file(slot2 + "/net/eth0/flags", "0x1002");
            machine.file(slot2 + "/net/eth0/carrier", "0");
        } else if (path.starts_with(virtio)) {
            machine.disk(virtio + "/block/vda", "254:0", "vd-1");
        } else if (path == slot3 && machine.text("/sys/bus/virtio/drivers_autoprobe") == "1") {
            add_virtio(name_after_rebind, "vdb");
        } else if (path == slot3) {
            machine.device(slot3 + "/" + name_after_rebind, "virtio");
        }
    }

    [[nodiscard]] Plan plan() const { return make_plan(machine.inventory(), {}); }

    [[nodiscard]] bool everything_is_there() const {
        const Inventory now = machine.inventory();
        const auto bound_to = [&](const std::string& path, const std::string& driver) {
            const auto found = now.devices.find(path);
            return found != now.devices.end() && found->second.driver == driver;
        };
        return bound_to(slot1, "nvme") && bound_to(slot2, "e1000") && bound_to(slot3, "virtio-pci") &&
               (bound_to(virtio, "virtio_blk") || bound_to(slot3 + "/" + name_after_rebind, "virtio_blk")) &&
               now.blocks.size() == 2 && now.interfaces.size() == 1 && now.interfaces.front().up &&
               machine.text("/sys/bus/pci/drivers_autoprobe") == "1" &&
               machine.text("/sys/bus/virtio/drivers_autoprobe") == "1" &&
               machine.text("/proc/sys/kernel/printk_devkmsg") == "ratelimit";
    }

    std::string name_after_rebind = "virtio7";

private:
    std::string file_of_disk_;
};

}  // namespace

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
