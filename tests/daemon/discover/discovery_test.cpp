// SPDX-License-Identifier: Apache-2.0
#include "daemon/discover/discovery.hpp"

#include <doctest/doctest.h>

#include "tests/daemon/discover/fake_devices.hpp"

using namespace stillboot;
using namespace stillboot::discover;
using namespace stillboot::discover::test;
using protocol::DeviceState;

TEST_SUITE("discover") {
    TEST_CASE_FIXTURE(Fixture, "two scans run at a time, those that wait in the fixed order, until all are done") {
        scanner.held = true;
        start({disk("d"), disk("a"), disk("c"), disk("b")});
        CHECK(scanner.started == std::vector<std::string>{"pci-d", "pci-a"});
        CHECK(state("pci-a") == DeviceState::scanning);
        CHECK(state("pci-c") == DeviceState::queued);
        scanner.release();
        run();
        CHECK(scanner.started == std::vector<std::string>{"pci-d", "pci-a", "pci-b", "pci-c"});
        scanner.release();
        run();
        CHECK(registry.options().size() == 4);
        CHECK(discovery->is_quiet());
    }

    TEST_CASE_FIXTURE(Fixture, "the first scan does not wait until every device was read") {
        std::vector<std::size_t> started_before;
        source.on_read = [&](const std::string&) { started_before.push_back(scanner.started.size()); };
        scanner.held = true;
        start({disk("a"), disk("b"), disk("c")});
        CHECK(started_before == std::vector<std::size_t>{0, 1, 2});
    }

    TEST_CASE_FIXTURE(Fixture, "a device that udev has yet to look at is left until its event comes") {
        source.unknown = {disk("a").devpath};
        start({disk("a"), disk("b")});
        CHECK(scanner.started == std::vector<std::string>{"pci-b"});
        event(DeviceEvent::Kind::added, disk("a"));
        CHECK(scanner.started == std::vector<std::string>{"pci-b", "pci-a"});
    }

    TEST_CASE_FIXTURE(Fixture, "a device that came back in another place is the same one") {
        start({disk("a")});
        auto moved = disk("a");
        moved.devpath = moved.disk_devpath = "/devices/elsewhere/a";
        source.there = {moved};
        CHECK(discovery->rescan(std::nullopt));
        run();
        REQUIRE(registry.devices().size() == 1);
        CHECK(registry.devices()[0].id == "pci-a");
    }

    TEST_CASE_FIXTURE(Fixture, "a device that comes is scanned and one that goes takes its options along") {
        start({disk("a")});
        event(DeviceEvent::Kind::added, disk("b"));
        CHECK(registry.options().size() == 2);
        event(DeviceEvent::Kind::removed, disk("a"));
        REQUIRE(registry.options().size() == 1);
        CHECK(registry.options()[0].device_id == "pci-b");
        event(DeviceEvent::Kind::removed, disk("never seen"));
        CHECK(registry.devices().size() == 1);
    }

    TEST_CASE_FIXTURE(Fixture, "a device pulled out while it is scanned ends its scan and nothing else") {
        scanner.held = true;
        start({disk("a"), disk("b")});
        event(DeviceEvent::Kind::removed, disk("a"));
        CHECK(scanner.cancellations == 1);
        scanner.release();
        run();
        CHECK(registry.devices().size() == 1);
        CHECK(state("pci-b") == DeviceState::found);
        CHECK(discovery->is_quiet());
    }

    TEST_CASE_FIXTURE(Fixture,
                      "a medium changed during the scan is scanned again, and the old result is not shown") {
        scanner.held = true;
        start({disk("a")});
        auto other = disk("a", "OTHER");
        event(DeviceEvent::Kind::changed, other, true);
        CHECK(scanner.cancellations == 1);
        CHECK(registry.options().empty());
        CHECK(state("pci-a") == DeviceState::scanning);
        scanner.release();
        run();
        CHECK(scanner.started.size() == 2);
        REQUIRE(registry.options().size() == 1);
        CHECK(registry.devices()[0].uuid == "OTHER");
    }

    TEST_CASE_FIXTURE(Fixture, "a failed scan, and one that throws, cost their device alone and say why") {
        scanner.failure = Error("probe.cancelled");
        start({disk("a")});
        CHECK(state("pci-a") == DeviceState::failed);
        scanner.failure.reset();
        scanner.throws = true;
        event(DeviceEvent::Kind::added, disk("b"));
        CHECK(state("pci-b") == DeviceState::failed);
        CHECK(log.lines().back().text == "b (/dev/b) could not be scanned: a fault inside stillbootd: thrown");
        scanner.throws = false;
        CHECK(discovery->rescan("pci-a"));
        run();
        CHECK(state("pci-a") == DeviceState::found);
        CHECK(state("pci-b") == DeviceState::failed);
        CHECK_FALSE(discovery->rescan("pci-z"));
    }

    TEST_CASE_FIXTURE(
        Fixture, "a question about a device that comes later makes the scan run again, and again when it goes") {
        scanner.questions = {
            probe::Question(probe::Question::Kind::kind, {DeviceRef::Kind::uuid, "B"}, "/grub.cfg")};
        start({disk("a")});
        REQUIRE(scanner.answers.size() == 1);
        CHECK(scanner.answers[0].error->sentence() == "no device with uuid B is present");
        event(DeviceEvent::Kind::added, disk("c", "C"));
        CHECK(scanner.started == std::vector<std::string>{"pci-a", "pci-c"});
        event(DeviceEvent::Kind::added, disk("b", "B"));
        CHECK(std::count(scanner.started.begin(), scanner.started.end(), "pci-a") == 2);
        CHECK(std::count(scanner.asked.begin(), scanner.asked.end(), "/dev/b:/grub.cfg") >= 2);
        const auto before = scanner.started.size();
        event(DeviceEvent::Kind::removed, disk("b", "B"));
        CHECK(scanner.started.size() == before + 2);
    }

    TEST_CASE_FIXTURE(
        Fixture, "a search of all devices names those that hold the file, and is repeated for each that comes") {
        scanner.questions = {probe::Question(probe::Question::Kind::find, {}, "/x")};
        start({disk("a"), disk("b")});
        CHECK(scanner.answers[0].devices == std::vector<std::string>{"pci-b"});
        const auto before = scanner.started.size();
        event(DeviceEvent::Kind::added, disk("c"));
        CHECK(scanner.started.size() == before + 3);
    }

    TEST_CASE_FIXTURE(Fixture, "whether a device is present is answered without looking into it") {
        scanner.questions = {probe::Question(probe::Question::Kind::present, {DeviceRef::Kind::uuid, "B"}, "")};
        start({disk("a"), disk("b", "B")});
        CHECK(scanner.answers.front().present);
        CHECK(scanner.asked.empty());
    }

    TEST_CASE_FIXTURE(Fixture, "events that were lost are made good by looking at everything") {
        start({disk("a"), disk("b")});
        source.there = {disk("b"), disk("c")};
        event(DeviceEvent::Kind::lost_events);
        std::vector<std::string> ids;
        for (const auto& each : registry.devices()) {
            ids.push_back(each.id);
        }
        CHECK(ids == std::vector<std::string>{"pci-b", "pci-c"});
    }

    TEST_CASE_FIXTURE(Fixture, "a device that changes for ever does not keep others from their first scan") {
        scanner.held = true;
        settings.parallel = 1;
        start({disk("a"), disk("b")});
        event(DeviceEvent::Kind::changed, disk("a"));
        scanner.release();
        run();
        CHECK(scanner.started == std::vector<std::string>{"pci-a", "pci-b"});
    }

    TEST_CASE_FIXTURE(Fixture, "more scans at a time begin as soon as that is said") {
        scanner.held = true;
        settings.parallel = 1;
        start({disk("a"), disk("b"), disk("c")});
        CHECK(scanner.started.size() == 1);
        discovery->set_parallel(2);
        run();
        CHECK(scanner.started.size() == 2);
        scanner.release();
        run();
        CHECK(scanner.started.size() == 3);
    }

    TEST_CASE_FIXTURE(
        Fixture, "a named file is read by this scan and each later one, and told once its options are there") {
        start({disk("a"), disk("b")});
        std::vector<std::string> told;
        discovery->add("pci-a", "/x.cfg", [&](const Result<NamedFile>& added) {
            told = added.value().options;
            CHECK(registry.options().size() == 3);
        });
        CHECK(told.empty());
        run();
        CHECK(told == std::vector<std::string>{"pci-a/grub/x.cfg"});
        CHECK(scanner.started == std::vector<std::string>{"pci-a", "pci-b", "pci-a"});
        discovery->rescan(std::nullopt);
        run();
        CHECK(registry.options().size() == 3);
        event(DeviceEvent::Kind::removed, disk("a"));
        event(DeviceEvent::Kind::added, disk("a"));
        CHECK(registry.options().size() == 2);
    }

    TEST_CASE_FIXTURE(Fixture, "who names a file while a scan runs waits for the next, which reads it") {
        scanner.held = true;
        start({disk("a")});
        int told = 0;
        discovery->add("pci-a", "/x.cfg", [&](const Result<NamedFile>& added) { told += added ? 1 : 100; });
        scanner.release();
        run();
        CHECK(told == 0);
        scanner.release();
        run();
        CHECK(told == 1);
    }

    TEST_CASE_FIXTURE(Fixture, "a named file that comes to nothing says why, and is not read again") {
        start({disk("a")});
        std::vector<std::string> told;
        const auto note = [&](const Result<NamedFile>& added) { told.push_back(added.error().code()); };
        discovery->add("pci-a", "/x", note);
        run();
        discovery->add("pci-none", "/x.cfg", note);
        scanner.failure = Error("probe.cancelled");
        discovery->add("pci-a", "/y.cfg", note);
        run();
        scanner.failure.reset();
        scanner.unread = true;
        discovery->add("pci-a", "/z.cfg", note);
        run();
        scanner.held = true;
        discovery->add("pci-a", "/late.cfg", note);
        event(DeviceEvent::Kind::removed, disk("a"));
        CHECK(told == std::vector<std::string>{"config.named_nothing", "config.device_missing", "probe.cancelled",
                                               "probe.out_of_memory", "config.device_missing"});
    }

    TEST_CASE_FIXTURE(Fixture,
                      "a device takes so many named files and no more; the same one again is no further one") {
        start({disk("a")});
        int added = 0;
        std::string refused;
        for (int i = 0; i < 10; ++i) {
            discovery->add("pci-a", "/" + std::to_string(i) + ".cfg", [&](const Result<NamedFile>& what) {
                added += what ? 1 : 0;
                refused = what ? refused : what.error().code();
            });
        }
        discovery->add("pci-a", "/0.cfg", [&](const Result<NamedFile>& what) { added += what ? 1 : 0; });
        run();
        CHECK(added == 9);
        CHECK(refused == "daemon.too_many_named");
    }

    TEST_CASE_FIXTURE(Fixture, "two disks with one path are told apart") {
        auto twin = disk("b");
        twin.id_path = "pci-a";
        start({disk("a"), twin});
        CHECK(registry.devices().size() == 2);
        CHECK(registry.device("pci-a~b") != nullptr);
    }

    TEST_CASE_FIXTURE(Fixture, "what is not scanned says why") {
        auto empty = disk("a");
        empty.has_medium = false;
        start({empty});
        CHECK(state("pci-a") == DeviceState::empty);
        CHECK(scanner.started.empty());
        event(DeviceEvent::Kind::changed, disk("a"), true);
        CHECK(state("pci-a") == DeviceState::found);
    }

    TEST_CASE_FIXTURE(Fixture, "pause ends what runs and starts nothing; resume does what was left") {
        scanner.held = true;
        start({disk("a"), disk("b"), disk("c")});
        discovery->pause();
        scanner.release();
        run();
        CHECK(discovery->is_quiet());
        CHECK(scanner.cancellations == 2);
        CHECK(registry.options().empty());
        scanner.held = false;
        discovery->resume();
        run();
        CHECK(registry.options().size() == 3);
    }
}
