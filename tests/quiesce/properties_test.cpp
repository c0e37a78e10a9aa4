// SPDX-License-Identifier: Apache-2.0
// What holds of every plan: on recorded machines, and on machines from a seed.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>

#include "quiesce/recorded_inventory.hpp"
#include "tests/quiesce/generated_machine.hpp"
#include "tests/quiesce/plan_properties.hpp"

using namespace stillboot;
using namespace stillboot::quiesce;
using namespace stillboot::quiesce::test;

namespace {

using Sentences = std::vector<std::string>;

Inventory recorded(const std::string& name) {
    std::ifstream file(std::string(STILLBOOT_INVENTORIES) + "/" + name, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return inventory_from_json(text).value().inventory;
}

/// What does not hold, a line each.
std::string broken(const Inventory& inventory, const Policy& policy = {}) {
    std::string lines;
    for (const auto& line : PlanProperties(inventory, make_plan(inventory, policy)).broken()) {
        lines += line + "\n";
    }
    return lines;
}

/// The seeds of every run, one that no run had before, or the one that STILLBOOT_TEST_SEED asks for.
std::vector<std::uint32_t> seeds() {
    if (const char* wanted = std::getenv("STILLBOOT_TEST_SEED")) {
        return {static_cast<std::uint32_t>(std::strtoul(wanted, nullptr, 10))};
    }
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = 1; i <= 150; ++i) {
        out.push_back(i);
    }
    out.push_back(std::random_device()());
    return out;
}

std::size_t dropped(const Inventory& inventory) {
    return make_plan(inventory, {}).notes.size();
}

Sentences refusals(const Inventory& inventory) {
    Sentences out;
    for (const auto& refusal : make_plan(inventory, {}).refusals) {
        out.push_back(refusal.sentence());
    }
    return out;
}

}  // namespace

TEST_SUITE("quiesce") {
    TEST_CASE("no plan for a recorded machine breaks a property") {
        for (const char* name : {"kinds.json", "stack.json", "microvm.json"}) {
            CAPTURE(name);
            const Inventory inventory = recorded(name);
            CHECK(broken(inventory) == "");
            for (const auto& [path, device] : inventory.devices) {
                CAPTURE(path);
                Policy policy;
                policy.keep = {path};
                CHECK((device.bound() ? broken(inventory, policy) : "") == "");
            }
        }
    }

    TEST_CASE("no plan for a machine from a seed breaks a property") {
        for (const std::uint32_t seed : seeds()) {
            for (const bool circles : {false, true}) {
                MachineOrder order;
                order.seed = seed;
                order.devices = 2 + seed % 97;
                order.links = (seed % 5) * order.devices / 2;
                order.circles = circles;
                order.kept = seed % 3 != 0;
                CAPTURE(seed);  // STILLBOOT_TEST_SEED
                CAPTURE(circles);
                const Inventory inventory = generated_machine(order);
                CHECK(broken(inventory) == "");
                CHECK(make_plan(inventory, {}) == make_plan(generated_machine(order), {}));
                if (!circles) {
                    CHECK(dropped(inventory) == 0);
                }
            }
        }
    }

    TEST_CASE("the state store's chain is the last stage of any machine, alone") {
        for (const std::uint32_t seed : seeds()) {
            CAPTURE(seed);
            MachineOrder order;
            order.seed = seed;
            order.devices = 40;
            const Inventory inventory = generated_machine(order);
            if (inventory.blocks.empty()) {
                continue;
            }
            Policy policy;
            policy.state_store = "/dev/" + inventory.blocks.begin()->first;
            CHECK(broken(inventory, policy) == "");
            const Device* carrier = inventory.bound_at_or_above(inventory.blocks.begin()->second.path);
            const Plan plan = make_plan(inventory, policy);
            const Kept* kept = carrier == nullptr ? nullptr : plan.kept_at(carrier->path);
            if (carrier != nullptr && kept == nullptr) {
                CHECK(plan.steps.back().stage == state_store_stage);
            }
        }
    }

    TEST_CASE("the checks themselves see each kind of broken plan") {
        MachineOrder order;
        order.seed = 7;
        order.devices = 80;
        order.links = 60;
        const Inventory inventory = generated_machine(order);
        const Plan good = make_plan(inventory, {});
        REQUIRE(PlanProperties(inventory, good).broken() == Sentences());
        const auto breaks = [&](const auto& spoil) {
            Plan plan = good;
            spoil(plan);
            return !PlanProperties(inventory, plan).broken().empty();
        };
        CHECK(breaks([](Plan& plan) { plan.steps.pop_back(); }));
        CHECK(breaks([](Plan& plan) { plan.kept.push_back(plan.kept.front()); }));
        CHECK(breaks([](Plan& plan) { plan.steps.front().waits_for = {1}; }));
        CHECK(breaks([](Plan& plan) { plan.steps.front().stage = 7; }));
        CHECK(breaks([](Plan& plan) { plan.refusals.clear(); }));
        CHECK(breaks([](Plan& plan) {
            for (auto& step : plan.steps) {
                step.waits_for.clear();
            }
        }));
        CHECK(breaks([](Plan& plan) {
            plan.notes = {Message("quiesce.cycle_edge_dropped", {{"consumer", "/sys/a"}, {"supplier", "/sys/b"}})};
        }));
        CHECK(breaks([](Plan& plan) {  // what is kept for another's sake goes
            for (auto& kept : plan.kept) {
                if (!kept.for_sake_of.empty()) {
                    PlanStep step;
                    step.path = std::exchange(kept.path, "");
                    plan.kept.erase(plan.kept.begin() + (&kept - plan.kept.data()));
                    plan.steps.insert(plan.steps.begin(), step);
                    return;
                }
            }
        }));
    }

    TEST_CASE("the recorded machine with LVM on a mirror and swap is refused by each user's name") {
        CHECK(refusals(recorded("stack.json")) ==
              Sentences{
                  "/dev/dm-0 is mounted at /tmp/…, and 1:0:0:0 (sd) carries it",
                  "/dev/nvme0n1 is mounted at /tmp/…, and 0000:00:03.0 (nvme) carries it",
                  "/dev/sdd is in use as swap space, and 9:0:0:0 (sd) carries it",
                  "the logical volume volume-1 stands on md0, which 1:0:0:0 (sd) carries",
                  "the logical volume volume-2 stands on sdc, which 2:0:0:0 (sd) carries",
                  "the loop device loop7 shows /tmp/…, which 1:0:0:0 (sd) carries",
                  "the raid1 array md0 stands on sda, which 1:0:0:0 (sd) carries",
              });
    }
}
