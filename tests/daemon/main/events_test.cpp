// SPDX-License-Identifier: Apache-2.0
// What the core tells a fleet, which hooks it wants run, and the script that the clock waits for.
#include <doctest/doctest.h>

#include "tests/daemon/main/core_fixture.hpp"

using namespace stillboot;
using test::root_peer;
using test::user_peer;

namespace {

struct Fixture : test::CoreFixture {
    Fixture() { events_told.clear(); }
    // "kind what option by reason", less what is empty.
    std::vector<std::string> story() {
        std::vector<std::string> lines;
        for (const auto& event : std::exchange(events_told, {})) {
            std::string line(events::to_word(event.kind));
            for (const std::string& part :
                 {event.what, event.option, event.by, event.reason ? event.reason->sentence() : ""}) {
                line += part.empty() ? "" : " | " + part;
            }
            lines.push_back(line);
        }
        return lines;
    }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_SUITE("core") {
    TEST_CASE_FIXTURE(Fixture, "a boot that a client chose is told with who did, and how it failed") {
        (void)call("Boot", {{"option", "b"}});
        CHECK(story() == Lines{"boot-begun | pci-1/grub/b | user 0 (process 1)"});
        booter.events.on_failed(Error("handover.cancelled"));
        CHECK(story() == Lines{"boot-failed | pci-1/grub/b | user 0 (process 1) | cancelled"});
        REQUIRE(hooks_run.size() == 1);
        CHECK(hooks_run[0].first == handover::HookPoint::on_failure);
        CHECK(hooks_run[0].second.option == "pci-1/grub/b");
        CHECK(hooks_run[0].second.device == "/dev/vda1");
        CHECK(hooks_run[0].second.reason == "cancelled");
    }

    TEST_CASE_FIXTURE(Fixture, "what is found, counted down for and cancelled is told, and hooks are run") {
        BootOption by_default = option("a", "root=1");
        by_default.is_default = true;
        ScanResult result;
        result.finding = std::vector<BootOption>{by_default, option("b", "root=2")};
        registry.set_result("pci-1", result);
        core.on_registry_change();
        core.on_settled(true);
        CHECK(story() ==
              Lines{"discovered | pci-1/grub/a", "countdown | pci-1/grub/a | the default of the first device"});
        REQUIRE(hooks_run.size() == 1);
        CHECK(hooks_run[0].first == handover::HookPoint::after_discovery);
        CHECK(hooks_run[0].second.title == "a");
        CHECK(hooks_run[0].second.arguments == "root=1");
        (void)call("Cancel");
        CHECK(story() == Lines{"cancelled | countdown | user 0 (process 1)"});
    }

    TEST_CASE_FIXTURE(Fixture, "choices, settings and refusals are told") {
        core.on_past({});
        (void)call("SetOneShot", {{"option", "b"}});
        (void)call("SetDefault", {{"option", "a"}});
        (void)call("SetDefault");
        (void)call("SetSetting", {{"key", "timeout"}, {"value", "7"}});
        (void)call("Boot", {{"option", "a"}}, false, user_peer);
        const Lines lines = story();
        REQUIRE(lines.size() == 5);
        CHECK(lines[0] == "choice | one-shot | pci-1/grub/b | user 0 (process 1)");
        CHECK(lines[1] == "choice | default | pci-1/grub/a | user 0 (process 1)");
        CHECK(lines[2] == "choice | default | user 0 (process 1)");
        CHECK(lines[3] == "setting | timeout | user 0 (process 1)");
        CHECK(lines[4].starts_with("refused | "));
        CHECK(lines[4].find("was refused io.stillboot.Boot: it needs the role boot") != std::string::npos);
    }

    TEST_CASE_FIXTURE(Fixture, "without a script none is run") {
        core.on_settled(true);
        CHECK(scripts.empty());
    }
}

namespace {

struct ScriptFixture {
    explicit ScriptFixture(const std::string& script)
        : settings(SettingsLayers{{}, {}, "stillboot.script=" + script, {}}) {
        registry::DeviceRecord record;
        record.identity.id = "pci-1";
        record.identity.node = "/dev/vda1";
        record.identity.label = "boot";
        registry.put_device(record);
        core.on_registry_change();
    }

    boost::asio::io_context loop{1};
    registry::Registry registry{{}};
    policy::Policy policy{std::chrono::seconds(10)};
    test::FakeBooter booter;
    Log log{Log::Sink::none, LogLevel::debug};
    SettingsKeeper settings;
    StageTimes times{std::chrono::steady_clock::now(), std::chrono::milliseconds(0)};
    std::vector<events::Event> told;
    std::vector<handover::ImageSource> scripts;
    std::function<void(const std::optional<Message>&)> script_done;
    Core core{loop.get_executor(), registry, policy, booter, log, hooks(), settings, times};

private:
    CoreHooks hooks() {
        CoreHooks hooks;
        hooks.tell = [this](const events::Event& event) { told.push_back(event); };
        hooks.run_script = [this](handover::ImageSource source, auto done) {
            scripts.push_back(std::move(source));
            script_done = std::move(done);
        };
        return hooks;
    }
};

}  // namespace

TEST_SUITE("core") {
    TEST_CASE("a script of a device is run once things have settled, and the clock waits for it") {
        ScriptFixture fixture("label=boot:/script");
        CHECK(fixture.scripts.empty());
        fixture.core.on_settled(true);
        REQUIRE(fixture.scripts.size() == 1);
        CHECK(fixture.scripts[0].node == "/dev/vda1");
        CHECK(fixture.scripts[0].path == "/script");
        CHECK(fixture.policy.phase() == policy::Phase::waiting);
        fixture.script_done(Message("daemon.said", {{"text", "status 3"}}));
        CHECK(fixture.policy.phase() == policy::Phase::idle);
        CHECK(fixture.told.back().kind == events::Kind::script);
        CHECK(fixture.told.back().what == "label=boot:/script");
        CHECK(fixture.told.back().reason->sentence() == "status 3");
        CHECK(std::any_of(fixture.log.lines().begin(), fixture.log.lines().end(), [](const auto& line) {
            return line.text == "the script label=boot:/script failed, and the clock goes on: status 3";
        }));
    }

    TEST_CASE("a script of this system has no device; one of a device that is not there fails at once") {
        ScriptFixture local("/etc/script");
        local.core.on_settled(true);
        REQUIRE(local.scripts.size() == 1);
        CHECK(local.scripts[0].node.empty());
        local.script_done(std::nullopt);
        CHECK_FALSE(local.told.back().reason);
        ScriptFixture missing("label=none:/script");
        missing.core.on_settled(true);
        CHECK(missing.scripts.empty());
        CHECK(missing.told.back().reason->code() == "config.device_missing");
        CHECK(missing.policy.phase() == policy::Phase::idle);
    }
}
