// SPDX-License-Identifier: Apache-2.0
// Settings read and written while the daemon runs.
#include <doctest/doctest.h>

#include "tests/daemon/main/core_fixture.hpp"

using namespace stillboot;
using namespace std::chrono_literals;
using Fixture = test::KnownStore;

namespace {

boost::json::object setting(const test::FakeReplier& replier) {
    return replier.replies.back().parameters.at("setting").as_object();
}

}  // namespace

TEST_SUITE("settings") {
    TEST_CASE_FIXTURE(Fixture, "every setting is listed with its value and its origin") {
        const auto listed = call("GetSettings", {}, false, test::user_peer);
        const auto& all = listed->replies.at(0).parameters.at("settings").as_array();
        CHECK(all.size() == 32);
        CHECK(boost::json::serialize(all.at(0)) ==
              R"({"key":"timeout","value":"10","origin":"built-in default","stored":null,"any_time":true})");
        std::string at_start;
        for (const auto& each : all) {
            at_start += each.at("any_time").as_bool() ? "" : " " + std::string(each.at("key").as_string());
        }
        CHECK(at_start ==
              " state_store settle_deadline hook.on_moving hook.on_hang hook.budget listen events script "
              "script_deadline");
    }

    TEST_CASE_FIXTURE(Fixture, "a value is kept in the store, or for this start alone, and forgotten again") {
        auto told = setting(*call("SetSetting", {{"key", "timeout"}, {"value", "20"}}));
        CHECK(told.at("value") == "20");
        CHECK(told.at("origin") == "state store");
        CHECK(booter.settings == std::vector<SettingText>{{"timeout", "20"}});

        told = setting(*call("SetSetting", {{"key", "timeout"}, {"value", "30"}, {"once", true}}));
        CHECK(told.at("value") == "30");
        CHECK(told.at("origin") == "this start only");
        CHECK(told.at("stored") == "20");
        CHECK(booter.settings == std::vector<SettingText>{{"timeout", "20"}});

        told = setting(*call("SetSetting", {{"key", "timeout"}, {"once", true}}));
        CHECK(told.at("value") == "20");
        told = setting(*call("SetSetting", {{"key", "timeout"}}));
        CHECK(told.at("value") == "10");
        CHECK(told.at("stored").is_null());
        CHECK(booter.settings.empty());
    }

    TEST_CASE("what the daemon's own options say nobody says otherwise, neither for this start nor for all") {
        SettingsLayers layers;
        layers.command_line = "stillboot.strict=true";
        layers.options = {{"timeout", "never"}, {"strict", "false"}};
        SettingsKeeper keeper(layers);
        test::FakeBooter booter;
        keeper.use(booter);
        for (const bool lasting : {true, false}) {
            for (const std::string key : {"timeout", "strict"}) {
                CAPTURE(key);
                keeper.set(key, key == "strict" ? "true" : "5", lasting, [](const auto& set) { CHECK(set); });
                keeper.set(key, std::nullopt, lasting, [](const auto& set) { CHECK(set); });
            }
            keeper.set("strict", "true", lasting, [](const auto& set) { CHECK(set); });
            CHECK_FALSE(keeper.now().timeout.value);
            CHECK_FALSE(keeper.now().strict.value);
            CHECK(keeper.now().strict.origin.text() == "options of stillbootd");
        }
        CHECK(booter.settings == std::vector<SettingText>{{"strict", "true"}});
    }

    TEST_CASE_FIXTURE(Fixture, "the order of the devices follows its setting at once, and clients are told") {
        registry::DeviceRecord stick;
        stick.identity.id = "usb-9";
        stick.removable = true;
        registry.put_device(stick);
        ScanResult result;
        result.finding = std::vector<BootOption>{option("stick", "root=9")};
        registry.set_result("usb-9", result);
        core.on_registry_change();
        CHECK(registry.options().back().title == "stick");
        const auto watched = call("Watch", {}, true);
        const auto told = setting(*call("SetSetting", {{"key", "order"}, {"value", "usb-*,internal"}}));
        CHECK(told.at("value") == "usb-*,internal");
        CHECK(registry.options().front().title == "stick");
        bool moved = false;
        for (const auto& reply : watched->replies) {
            const auto& change = reply.parameters.at("change");
            for (const auto& device : change.at("devices").as_array()) {
                moved = moved || (!change.at("whole").as_bool() && device.at("id") == "pci-1" &&
                                  device.at("order").as_string().starts_with("001:"));
            }
        }
        CHECK(moved);
        CHECK(call("SetSetting", {{"key", "order"}, {"value", "usb-*,,x"}})->replies.at(0).error ==
              "io.stillboot.Refused");
    }

    TEST_CASE_FIXTURE(Fixture, "the timeout has a method of its own, which is the same setting") {
        auto told = setting(*call("SetTimeout", {{"seconds", 20}}));
        CHECK(told.at("key") == "timeout");
        CHECK(told.at("value") == "20");
        CHECK(booter.settings == std::vector<SettingText>{{"timeout", "20"}});
        told = setting(*call("SetTimeout", {{"once", true}}));
        CHECK(told.at("value") == "never");
        CHECK(told.at("origin") == "this start only");
        CHECK(told.at("stored") == "20");
        CHECK(sentence(*call("SetTimeout", {{"seconds", -1}})).find("0 to 86400") != std::string::npos);
        CHECK(call("SetTimeout", {{"seconds", "x"}})->replies.at(0).error ==
              "org.varlink.service.InvalidParameter");
    }

    TEST_CASE_FIXTURE(Fixture, "what another version left in the store never counts by the way") {
        booter.settings = {{"listen", "[::]:1"}, {"nonsense", "1"}};
        call("SetSetting", {{"key", "timeout"}, {"value", "20"}});
        CHECK(settings.now().timeout.value == 20s);
        CHECK(settings.now().listen.value.empty());
    }

    TEST_CASE_FIXTURE(Fixture, "a lasting value is not hidden by one that was for this start alone") {
        call("SetSetting", {{"key", "moving"}, {"value", "allow"}, {"once", true}});
        const auto told = setting(*call("SetSetting", {{"key", "moving"}, {"value", "refuse"}}));
        CHECK(told.at("value") == "refuse");
        CHECK(told.at("origin") == "state store");
    }

    TEST_CASE_FIXTURE(Fixture, "what the kernel command line says stays, and the store keeps the other value") {
        const auto told = setting(*call("SetSetting", {{"key", "final_action"}, {"value", "menu"}}));
        CHECK(told.at("value") == "poweroff");
        CHECK(told.at("origin") == "kernel command line");
        CHECK(told.at("stored") == "menu");
    }

    TEST_CASE_FIXTURE(Fixture, "what is not accepted is refused in words, and nothing changes") {
        struct Row {
            boost::json::object asked;
            const char* told;
        };
        const Row rows[] = {
            {{{"key", "timeout"}, {"value", "soon"}}, "timeout must be a number of seconds from 0 to 86400"},
            {{{"key", "nonsense"}, {"value", "1"}}, "there is no setting nonsense"},
            {{{"key", "nonsense"}}, "there is no setting nonsense"},
            {{{"key", "listen"}, {"value", "[::]:1"}}, "listen is read when stillbootd starts"},
            {{{"key", "listen"}}, "listen is read when stillbootd starts"},
        };
        for (const Row& row : rows) {
            const auto replier = call("SetSetting", row.asked);
            CHECK(replier->replies.at(0).error == "io.stillboot.Refused");
            CHECK(sentence(*replier).find(row.told) != std::string::npos);
        }
        booter.cannot_choose = true;
        CHECK(
            sentence(*call("SetSetting", {{"key", "timeout"}, {"value", "3"}})).find("there is no state store") !=
            std::string::npos);
        CHECK(settings.now().timeout.value == 10s);
        CHECK(settings.now().listen.value.empty());
    }

    TEST_CASE("to forget is refused by the key alone, whatever the value is that stands there") {
        SettingsLayers layers;
        layers.files = {{"/etc/s.toml", "boot = [\"title=a,b\"]\n"}};  // which no text can say again
        SettingsKeeper keeper(layers);
        bool forgotten = false;
        keeper.set("boot", std::nullopt, false, [&](const Result<void>& done) { forgotten = done.has_value(); });
        CHECK(forgotten);
    }

    TEST_CASE_FIXTURE(Fixture, "a countdown begins anew with the time that is said") {
        call("SetSetting", {{"key", "boot"}, {"value", "title=a"}, {"once", true}});
        core.on_settled(true);
        call("SetSetting", {{"key", "timeout"}, {"value", "100"}, {"once", true}});
        CHECK(core.state().remaining_ms.value() > 90'000);
        call("SetSetting", {{"key", "timeout"}, {"value", "never"}, {"once", true}});
        CHECK(core.state().phase == protocol::Phase::idle);
        call("SetSetting", {{"key", "timeout"}, {"value", "0"}, {"once", true}});
        CHECK(core.state().phase == protocol::Phase::idle);
        CHECK(booter.requests.empty());
    }

    TEST_CASE_FIXTURE(Fixture, "rules that are said count at once where no countdown runs yet") {
        call("SetSetting", {{"key", "boot"}, {"value", "title=b"}, {"once", true}});
        core.on_settled(true);
        CHECK(core.state().would_boot == "pci-1/grub/b");
    }

    TEST_CASE_FIXTURE(Fixture, "rules that are said while a countdown runs are taken, and it begins anew") {
        call("SetSetting", {{"key", "boot"}, {"value", "title=a"}, {"once", true}});
        core.on_settled(true);
        call("SetSetting", {{"key", "boot_first"}, {"value", "title=b"}, {"once", true}});
        CHECK(core.state().would_boot == "pci-1/grub/b");
        CHECK(core.state().beaten.size() == 1);
        const auto wakes = policy.wake_at();
        call("SetSetting", {{"key", "log_level"}, {"value", "debug"}, {"once", true}});
        CHECK(policy.wake_at() == wakes);
    }

    TEST_CASE_FIXTURE(Fixture, "what the store holds counts before the countdown, less what is not for it") {
        handover::Past past;
        past.choices = handover::Choices();
        past.settings = {{"timeout", "50"}, {"boot", "title=a"}, {"listen", "[::]:1"}, {"trial", "perhaps"}};
        core.on_past(past);
        core.on_settled(true);
        CHECK(core.state().remaining_ms.value() > 40'000);
        CHECK(settings.now().listen.value.empty());
        const auto logged = [&](const char* text) {
            return std::any_of(log.lines().begin(), log.lines().end(),
                               [&](const LogEntry& line) { return line.text.find(text) != std::string::npos; });
        };
        CHECK(logged("state store: warning: listen is read when stillbootd starts"));
        CHECK(logged("trial must be"));
    }

    TEST_CASE_FIXTURE(Fixture, "in strict mode no console changes a setting, and others may") {
        call("SetSetting", {{"key", "strict"}, {"value", "true"}, {"once", true}});
        boost::json::object asked{{"key", "timeout"}, {"value", "never"}, {"once", true}, {"console", true}};
        CHECK(sentence(*call("SetSetting", asked)).find("strict mode") != std::string::npos);
        asked["console"] = false;
        CHECK(call("SetSetting", asked)->replies.at(0).error.empty());
    }
}
