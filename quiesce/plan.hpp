// SPDX-License-Identifier: Apache-2.0
// What will be unbound in which order, what stays and why, and what stands in the way: a value to look at first.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/message.hpp"
#include "quiesce/inventory.hpp"
#include "quiesce/policy.hpp"

namespace stillboot::quiesce {

enum class StepAction {
    unbind,
    sriov_off,  ///< the virtual functions of a physical one, before it goes
    reset,      ///< of a PCI function that its driver has let go of
};

/// "unbind", "switch off the virtual functions of", "reset". Lifetime: static.
[[nodiscard]] std::string_view to_word(StepAction action);

/// One act on one device.
struct PlanStep {
    StepAction action = StepAction::unbind;
    std::string path;
    std::string name;
    std::string bus;
    std::string driver;
    Message reason;
    std::string rule;  ///< the name of the rule that decided, or empty
    std::chrono::seconds deadline{10};
    int stage = 0;                       ///< all of a lower stage have ended before one of this begins
    std::vector<std::size_t> waits_for;  ///< places in Plan::steps, each before this one
    bool refused = false;                ///< one of the plan's refusals stands on this device

    bool operator==(const PlanStep&) const = default;
};

/// A device that stays bound; or a function of PCI that has no driver, and that the verification leaves alone.
struct Kept {
    std::string path;
    std::string name;
    std::string bus;
    std::string driver;
    Message reason;
    std::string rule;            ///< the name of the rule that decided, or empty
    std::string for_sake_of;     ///< path of the kept device that stands on this one, or empty
    bool follows = false;        ///< no step of its own: it goes with what it stands on, where that goes
    bool must_be_quiet = false;  ///< it counts as moving unless its config space says that it is quiet

    bool operator==(const Kept&) const = default;
};

struct Plan {
    bool hands_off = false;  ///< the mode off: nothing is unbound or stopped, and nothing that moves is refused
    std::vector<std::string> autoprobe_off;  ///< buses, all of them
    std::vector<PlanStep> steps;             ///< a graph, in one order in which it can be done one by one
    std::vector<Kept> kept;
    std::vector<Message> refusals;  ///< users that stand in the way; not empty: nothing may be touched
    std::vector<Message> notes;     ///< what is worth knowing: a device-link edge that was dropped, a hung chain

    [[nodiscard]] bool refused() const { return !refusals.empty(); }
    [[nodiscard]] const Kept* kept_at(std::string_view path) const;
    /// The plan in plain lines, one a step, for people and for journals.
    [[nodiscard]] std::vector<std::string> text() const;
    bool operator==(const Plan&) const = default;
};

/// The stage of the state store's own chain: after all others, alone.
constexpr int state_store_stage = 1'000'000;

/// Orders and judges. Pure: the same inventory and policy give the same plan.
[[nodiscard]] Plan make_plan(const Inventory& inventory, const Policy& policy);

}  // namespace stillboot::quiesce
