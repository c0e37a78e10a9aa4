// SPDX-License-Identifier: Apache-2.0
// The policy: the shipped rules, those of an administrator before them, and the modes.
#include "quiesce/policy.hpp"

#include <doctest/doctest.h>

#include <set>

#include "config/parse/rules/rule_file.hpp"
#include "quiesce/load_policy.hpp"
#include "quiesce/plan.hpp"
#include "tests/quiesce/fake_machine.hpp"

using namespace stillboot;
using namespace stillboot::quiesce;
using stillboot::quiesce::test::FakeMachine;

namespace {

using Lines = std::vector<std::string>;

const std::string slot1 = "/sys/devices/pci0000:00/0000:00:01.0";
const std::string slot2 = "/sys/devices/pci0000:00/0000:00:02.0";

Lines texts(const std::vector<Diagnostic>& diagnostics) {
    Lines out;
    for (const auto& each : diagnostics) {
        out.push_back(each.text());
    }
    return out;
}

}  // namespace

TEST_SUITE("quiesce") {
    TEST_CASE("the shipped rules are there, each with its reason and source, and the last is for every device") {
        const auto& rules = shipped_rules();
        REQUIRE(rules.size() == 36);
        std::set<std::string> names;
        for (const Rule& rule : rules) {
            CAPTURE(rule.name);
            CHECK(names.insert(rule.name).second);
            CHECK_FALSE(rule.why.empty());
            CHECK_FALSE(rule.source.empty());
            CHECK(rule.shipped);
            CHECK(rule.file == "quiesce/rules.toml");
            CHECK(rule.label() == rule.name);
        }
        CHECK(rules.back().match_text() == "driver = *");
        CHECK(rules.back().action == RuleAction::leave);
    }

    TEST_CASE("a rule of the machine goes before the shipped ones, and the plan names it with its place") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "e1000");
        machine.file("/etc/stillboot/quiesce.d/a.toml",
                     "[[rule]]\nname = \"ours\"\ndriver = \"e1000\"\naction = \"keep\"\nwhy = \"we want it\"\n");
        const LoadedPolicy loaded = load_policy(machine.root(), Settings());
        CHECK(loaded.diagnostics.empty());
        CHECK(make_plan(machine.inventory(), loaded.policy).text() ==
              Lines{"keep 0000:00:01.0 (pci, e1000): we want it [ours (/etc/stillboot/quiesce.d/a.toml:1)]"});
    }

    TEST_CASE(
        "a rule file with a mistake costs its own rules, and the shipped ones and the good files still hold") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "e1000");
        machine.pci(slot2, "0x010601", "ahci");
        machine.file("/etc/stillboot/quiesce.d/10-bad.toml",
                     "[[rule]]\nname = \"bad\"\ndriver = \"e1000\"\naction = \"keep\"\nwhy = \"x\"\ncolour = 1\n");
        machine.file(
            "/run/stillboot/quiesce.d/20-good.toml",
            "[[rule]]\nname = \"good\"\ndriver = \"e1000\"\naction = \"unbind\"\ndeadline = 7\nwhy = \"y\"\n");
        const LoadedPolicy loaded = load_policy(machine.root(), Settings());
        CHECK(texts(loaded.diagnostics) ==
              Lines{"/etc/stillboot/quiesce.d/10-bad.toml:6:10: error: a rule has no colour",
                    "/etc/stillboot/quiesce.d/10-bad.toml: error: none of this file's rules is in effect"});
        const Plan plan = make_plan(machine.inventory(), loaded.policy);
        CHECK(plan.text() ==
              Lines{"unbind 0000:00:01.0 (pci, e1000): y [good (/run/stillboot/quiesce.d/20-good.toml:1)]",
                    "keep 0000:00:02.0 (pci, ahci): SATA: the driver's shutdown is gentler than its unbind, which "
                    "puts disks in standby [ahci]"});
        CHECK(plan.steps.at(0).deadline == std::chrono::seconds(7));
    }
}
