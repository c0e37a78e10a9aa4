// SPDX-License-Identifier: Apache-2.0
// The policy: the shipped rules, those of an administrator before them, and the modes.
#include "quiesce/policy.hpp"

#include <doctest/doctest.h>

#include <set>

#include "config/parse/rules/rule_file.hpp"
#include "quiesce/load_policy.hpp"
#include "quiesce/plan.hpp"
#include "quiesce/verify.hpp"
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
    TEST_CASE("minimal unbinds drivers without a shutdown method and what a rule of the machine names") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "e1000");
        machine.pci(slot2, "0x010000", "sym53c8xx");
        Settings settings;
        settings.quiesce.value = QuiesceMode::minimal;
        settings.quiesce.origin.file = "kernel command line";
        CHECK(
            make_plan(machine.inventory(), load_policy(machine.root(), settings).policy).text() ==
            Lines{"unbind 0000:00:02.0 (pci, sym53c8xx): it may do DMA [pci]",
                  "leave 0000:00:01.0 (pci, e1000): its driver has a shutdown method, and the setting quiesce is "
                  "minimal [setting quiesce (kernel command line)]"});
        machine.file("/run/stillboot/quiesce.d/a.toml",
                     "[[rule]]\nname = \"ours\"\npci_id = \"8086:100e\"\naction = \"last\"\nwhy = \"x\"\n");
        const Plan plan = make_plan(machine.inventory(), load_policy(machine.root(), settings).policy);
        REQUIRE(plan.steps.size() == 2);
        CHECK(plan.steps[1].rule.starts_with("ours (/run"));
    }

    TEST_CASE("a driver to keep may be named with either dash, and a name of nothing is noted") {
        FakeMachine machine;
        machine.pci(slot1, "0x0c0330", "xhci_hcd");
        Policy policy;
        policy.keep = {"xhci-hcd", "[e1000"};
        policy.keep_origin = "the command line";
        const Plan plan = make_plan(machine.inventory(), policy);
        CHECK(plan.steps.empty());
        REQUIRE(plan.notes.size() == 1);
        CHECK(plan.notes.front().sentence() == "keep (the command line): [e1000 names no device of this machine");
        Rule rule;
        rule.drivers = {"xhci-hcd"};
        rule.action = RuleAction::keep;
        policy.keep.clear();
        policy.rules.insert(policy.rules.begin(), rule);
        CHECK(make_plan(machine.inventory(), policy).steps.empty());
    }

    TEST_CASE("off unbinds nothing, refuses nothing, and says so") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "e1000");
        Policy policy;
        policy.mode = QuiesceMode::off;
        const Plan plan = make_plan(machine.inventory(), policy);
        CHECK(plan.hands_off);
        CHECK(plan.text() ==
              Lines{"leave 0000:00:01.0 (pci, e1000): nothing is unbound: the setting quiesce is off "
                    "[setting quiesce]"});
        Verification verification;
        verification.verdicts.emplace_back().rest = Rest::moving;
        CHECK_FALSE(verification.may_jump());
        verification.only_reports = true;
        CHECK_FALSE(verification.at_rest());
        CHECK(verification.may_jump());
    }

    TEST_CASE("what a rule only wants verified stays bound, and counts as moving while it is not quiet") {
        FakeMachine machine;
        machine.pci(slot1, "0x020000", "e1000");
        machine.file("/etc/stillboot/quiesce.d/a.toml",
                     "[[rule]]\nname = \"ours\"\ndriver = \"e1000\"\naction = \"verify\"\nwhy = \"x\"\n");
        const Plan plan = make_plan(machine.inventory(), load_policy(machine.root(), Settings()).policy);
        CHECK(plan.steps.empty());
        CHECK(plan.kept.at(0).follows);
        CHECK(plan.kept.at(0).must_be_quiet);
        std::string config(256, '\0');
        config[0] = '\x86';
        config[1] = '\x80';
        machine.file(slot1 + "/config", config);
        CHECK(look(machine.root(), plan).value().at_rest());
        config[4] = 4;  // bus mastering
        machine.file(slot1 + "/config", config);
        const Verification armed = look(machine.root(), plan).value();
        REQUIRE(armed.count(Rest::moving) == 1);
        CHECK(armed.verdicts.at(0).why.sentence() ==
              "e1000 is bound to it, and its rule wants it quiet, but still: bus mastering");
    }

    TEST_CASE("the shipped list knows which drivers have no shutdown method") {
        for (const char* driver : {"sym53c8xx", "mvsas", "isci", "pm80xx", "vfio-pci", "8139too"}) {
            CAPTURE(driver);
            CHECK(lacks_shutdown("pci", driver));
        }
        for (const char* driver : {"e1000", "e1000e", "nvme", "megaraid_sas", "sym53c8x", "", "\npci isci\n"}) {
            CAPTURE(driver);
            CHECK_FALSE(lacks_shutdown("pci", driver));
        }
        CHECK(lacks_shutdown("virtio", "virtio_net"));
        CHECK_FALSE(lacks_shutdown("pci", "virtio_net"));
    }
}
