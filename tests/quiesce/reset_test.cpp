// SPDX-License-Identifier: Apache-2.0
// The reset of a function that a rule asks for: when it is planned, and how it is done.
#include "quiesce/reset.hpp"

#include <doctest/doctest.h>

#include "quiesce/executor.hpp"
#include "quiesce/pci_config.hpp"
#include "quiesce/recorded_inventory.hpp"
#include "quiesce/verify.hpp"
#include "tests/quiesce/fake_machine.hpp"

using namespace std::chrono_literals;
using namespace stillboot;
using namespace stillboot::quiesce;
using stillboot::quiesce::test::FakeMachine;
using stillboot::quiesce::test::FakeWorld;

namespace {

using Lines = std::vector<std::string>;

const std::string slot1 = "/sys/devices/pci0000:00/0000:00:01.0";
const std::string slot1_other = "/sys/devices/pci0000:00/0000:00:01.1";

/// What the rules say where the machine wants all devices of one driver reset.
Policy resetting(const std::string& driver) {
    Policy policy;
    Rule rule;
    rule.name = "ours";
    rule.file = "r.toml";
    rule.line = 1;
    rule.drivers = {driver};
    rule.action = RuleAction::reset;
    rule.why = "it does not come to rest";
    rule.deadline = 7s;
    policy.rules.insert(policy.rules.begin(), rule);
    return policy;
}

/// A network card that the kernel can reset, and the plan that does so.
struct Card : FakeWorld {
    explicit Card(const std::string& methods = "flr pm bus\n") {
        machine.pci(slot1, "0x020000", "e1000");
        machine.file(slot1 + "/reset_method", methods);
        machine.file(slot1 + "/reset", "");
    }
    [[nodiscard]] Plan plan() const { return make_plan(machine.inventory(), resetting("e1000")); }
    [[nodiscard]] bool masters() const {
        return (pci_register16(machine.root().read_file(slot1 + "/config", 256).value(), pci_command_offset) &
                pci_command_master) != 0;
    }
};

}  // namespace

TEST_SUITE("quiesce") {
    TEST_CASE("a rule with the action reset unbinds the device, and resets it when that is done") {
        Card card;
        const Plan plan = card.plan();
        CHECK(plan.text() == Lines{"unbind 0000:00:01.0 (pci, e1000): it does not come to rest [ours (r.toml:1)]",
                                   "reset 0000:00:01.0 (pci, e1000), after 0000:00:01.0: its rule wants it reset "
                                   "once no driver holds it: "
                                   "by flr [ours (r.toml:1)]"});
        card.machine.file(slot1 + "/config", FakeMachine::config(0x4));
        bool mastered_at_reset = true;
        ExecuteOptions options;
        options.policy = resetting("e1000");
        options.runner.on_progress = [&](const StepProgress& progress) {
            if (!progress.running.empty() && progress.running.front().step->action == StepAction::reset) {
                mastered_at_reset = card.masters();
                // As the kernel does: what was saved before is restored. Verification finds it.
                card.machine.file(slot1 + "/config", FakeMachine::config(0x4));
            }
        };
        const Execution execution = execute(plan, card.machine.inventory(), card.ports(), options);
        REQUIRE(execution.ok());
        CHECK(card.kernel.writes == Lines{"/sys/bus/pci/drivers/e1000/unbind 0000:00:01.0", slot1 + "/reset 1"});
        CHECK_FALSE(mastered_at_reset);
        CHECK(card.journal.lines.back() == "reset 0000:00:01.0");
        const auto verification = verify(card.ports(), plan);
        REQUIRE(verification);
        CHECK(verification->verdicts.at(0).rest == Rest::contained);
        CHECK_FALSE(card.masters());
        CHECK(execution.record.unbound.size() == 1);
    }

    TEST_CASE("a device that must not or cannot be reset is unbound all the same, and the plan says why") {
        struct Row {
            const char* pci_class;
            const char* methods;
            bool neighbour;
            const char* note;  ///< null: it is reset
        };
        const Row rows[] = {
            {"0x020000", "flr\n", true, nullptr},
            {"0x020000", "bus\n", false, nullptr},
            {"0x030000", "pm bus\n", true, nullptr},
            {"0x068000", "flr\n", false, nullptr},  // a non-transparent bridge moves data of its own
            {"0x060100", "flr\n", false, "0000:00:01.0 (e1000) is not reset: bridges are never touched"},
            {"0x020000", "", false, "0000:00:01.0 (e1000) is not reset: the kernel lists no way to"},
            {"0x020000", "bus\n", true,
             "0000:00:01.0 (e1000) is not reset: the kernel would reset its bus, and 0000:00:01.1 sits in the "
             "same slot"},
            {"0x020000", "cxl_bus bus\n", true,
             "0000:00:01.0 (e1000) is not reset: the kernel would reset its bus, and 0000:00:01.1 sits in the "
             "same slot"},
            {"0x030000", "bus\n", false,
             "0000:00:01.0 (e1000) is not reset: the kernel would reset its bus, which is never done to a "
             "display"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.pci_class);
            CAPTURE(row.methods);
            Card card(row.methods);
            card.machine.file(slot1 + "/class", row.pci_class);
            if (row.neighbour) {
                card.machine.pci(slot1_other, "0x020000");
            }
            // None of the same slot: a child, and another slot whose number begins so.
            card.machine.device(slot1 + "/serial8250.1", "platform");
            card.machine.pci("/sys/devices/pci0000:00/0000:00:01", "0x020000");
            const Plan plan = card.plan();
            REQUIRE(plan.steps.size() == (row.note == nullptr ? 2 : 1));
            CHECK(plan.steps[0].action == StepAction::unbind);
            CHECK(plan.steps.back().action == (row.note == nullptr ? StepAction::reset : StepAction::unbind));
            CHECK(plan.text().back() == (row.note == nullptr ? plan.text()[1] : "note: " + std::string(row.note)));
        }
    }

    TEST_CASE("what is on no PCI bus is not reset") {
        FakeWorld world;
        world.machine.device("/sys/devices/platform/thing", "platform", "thing_driver");
        const Plan plan = make_plan(world.machine.inventory(), resetting("thing_driver"));
        CHECK(plan.steps.size() == 1);
        CHECK(plan.text().back() == "note: thing (thing_driver) is not reset: only PCI functions can be");
    }

    TEST_CASE("what a reset device stands on waits for the reset, and a device that is kept is not reset") {
        Card card;
        const std::string below = slot1 + "/0000:01:00.0";
        card.machine.pci(below, "0x020000", "ixgbe");
        card.machine.file(below + "/reset_method", "flr\n");
        const Plan plan = make_plan(card.machine.inventory(), resetting("ixgbe"));
        REQUIRE(plan.steps.size() == 3);
        CHECK(plan.steps[1].action == StepAction::reset);
        CHECK(plan.steps[2].path == slot1);
        CHECK(plan.steps[2].waits_for == std::vector<std::size_t>{1});
        Policy kept = resetting("e1000");
        kept.keep = {"e1000"};
        CHECK(make_plan(card.machine.inventory(), kept).kept_at(slot1) != nullptr);
        CHECK(make_plan(card.machine.inventory(), kept).notes.empty());
    }

    TEST_CASE("a reset that fails or hangs is told as such, and no device is reset that is bound or gone") {
        const auto run = [](Card& card) {
            return execute(card.plan(), card.machine.inventory(), card.ports(), {});
        };
        Card failing;
        failing.kernel.fail_at = 2;
        failing.kernel.fail_with = EIO;
        CHECK(run(failing).failure->sentence() ==
              "/sys/devices/pci0000:00/0000:00:01.0 cannot be reset: EIO (Input/output error)");
        Card hanging;
        hanging.kernel.takes[slot1 + "/reset 1"] = 1h;
        const Execution hung = run(hanging);
        CHECK(hung.failure->sentence() ==
              "the reset of /sys/devices/pci0000:00/0000:00:01.0 (e1000) did not end within 7 s: it hangs in the "
              "kernel, "
              "and no kexec may follow");
        CHECK(hung.record.hung == Lines{slot1});
        Card gone;
        gone.kernel.on_unbind = [&](const std::string& path) {
            std::filesystem::remove(gone.machine.real(path + "/reset"));
        };
        const Execution without = run(gone);
        CHECK(without.ok());
        CHECK(without.outcomes.back().end == StepOutcome::End::already_gone);
        CHECK(gone.kernel.writes.size() == 1);
        Card again;
        bool once = false;
        again.kernel.on_unbind = [&](const std::string& path) {
            if (!std::exchange(once, true)) {
                again.machine.bind(path, "pci", "e1000");
            }
        };
        ExecuteOptions options;
        options.policy = resetting("e1000");
        REQUIRE(execute(again.plan(), again.machine.inventory(), again.ports(), options).ok());
        CHECK(again.kernel.writes == Lines{"/sys/bus/pci/drivers/e1000/unbind 0000:00:01.0",
                                           "/sys/bus/pci/drivers/e1000/unbind 0000:00:01.0", slot1 + "/reset 1"});
    }

    TEST_CASE("the ways to reset are in a recorded inventory") {
        Card card;
        const Inventory here = card.machine.inventory();
        CHECK(here.devices.at(slot1).reset_methods == Lines{"flr", "pm", "bus"});
        const auto there = inventory_from_json(to_text({{}, here}));
        REQUIRE(there);
        CHECK(there->inventory.devices.at(slot1).reset_methods == Lines{"flr", "pm", "bus"});
    }
}
