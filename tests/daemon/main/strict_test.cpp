// SPDX-License-Identifier: Apache-2.0
// Strict mode as clients and consoles see it, and how it ends.
#include <doctest/doctest.h>

#include "tests/daemon/main/core_fixture.hpp"

using namespace stillboot;
using namespace std::chrono_literals;
using Fixture = test::CoreFixture;

TEST_SUITE("core") {
    TEST_CASE_FIXTURE(Fixture, "in strict mode a console stops and boots nothing, and others may") {
        policy = policy::Policy(5s, policy::Strict{std::chrono::steady_clock::now() + 1h, 0});
        policy.on_claims({}, {{Message("daemon.by_configuration"), 0s, {policy::Candidate("pci-1/grub/a", "a")}}});
        core.on_settled(true);
        const std::string refusal = "refused: strict mode: nothing at a console stops or changes what boots";
        CHECK(sentence(*call("Cancel", {{"console", true}})) == refusal);
        CHECK(sentence(*call("Boot", {{"option", "b"}, {"console", true}})) == refusal);
        CHECK(sentence(*call("Reboot", {{"console", true}})) == refusal);
        CHECK(sentence(*call("Reboot", {{"firmware_setup", true}, {"console", true}})) == refusal);
        CHECK(sentence(*call("PowerOff", {{"console", true}})) == refusal);
        CHECK(restarts.empty());
        CHECK(core.state().strict);
        CHECK(core.state().phase == protocol::Phase::countdown);
        CHECK(call("Cancel")->replies.at(0).parameters.at("cancelled") == "countdown");
        CHECK_FALSE(core.state().strict);
        CHECK(call("Boot", {{"option", "b"}, {"console", true}})->replies.at(0).error.empty());
    }

    TEST_CASE_FIXTURE(Fixture,
                      "strict mode ends in the final action; a power-off that cannot be becomes a restart") {
        for (const bool held : {false, true}) {
            restarts.clear();
            why_no_power_off.reset();
            if (held) {
                why_no_power_off = Message("daemon.cannot_power_off", {{"device", "/sys/devices/x"}});
            }
            policy = policy::Policy(0s, policy::Strict{std::chrono::steady_clock::now() + 1h, 0});
            core.on_settled(true);
            CHECK(restarts == std::vector<bool>{!held});
            CHECK(core.state().why.sentence() == "nothing that can be booted was found yet");
        }
    }

    TEST_CASE_FIXTURE(Fixture, "the final action is what the settings say: a restart, or a menu that waits") {
        for (const bool menu : {false, true}) {
            restarts.clear();
            const char* const action = menu ? "menu" : "reboot";
            call("SetSetting", {{"key", "final_action"}, {"value", action}, {"once", true}});
            policy = policy::Policy(0s, policy::Strict{std::chrono::steady_clock::now() + 1h, 0});
            core.on_settled(true);
            CHECK(restarts == (menu ? std::vector<bool>{} : std::vector<bool>{false}));
            CHECK(core.state().phase == protocol::Phase::idle);
            CHECK_FALSE(core.state().strict);
            CHECK(log.lines().back().text.find(std::string("strict mode ends with ") + action) !=
                  std::string::npos);
        }
        CHECK(call("Boot", {{"option", "b"}})->replies.at(0).error.empty());
    }

    TEST_CASE_FIXTURE(Fixture, "strict mode that ends in a shell says so to the consoles, until something boots") {
        call("SetSetting", {{"key", "final_action"}, {"value", "shell"}, {"once", true}});
        policy = policy::Policy(0s, policy::Strict{std::chrono::steady_clock::now() + 1h, 0});
        core.on_settled(true);
        CHECK(restarts.empty());
        CHECK(core.state().shell);
        CHECK(call("Boot", {{"option", "b"}})->replies.at(0).error.empty());
        CHECK_FALSE(core.state().shell);
    }
}
