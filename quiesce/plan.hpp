// SPDX-License-Identifier: Apache-2.0
// What will be unbound in which order, what stays and why, and what stands in the way: a value to look at first.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "config/base/message.hpp"
#include "quiesce/inventory.hpp"
#include "quiesce/policy.hpp"

namespace stillboot::quiesce {

/// One unbind.
struct PlanStep {
    std::string path;
    std::string name;
    std::string bus;
    std::string driver;
    Message reason;
    std::chrono::seconds deadline{10};

    bool operator==(const PlanStep&) const = default;
};

/// A device that stays bound.
struct Kept {
    std::string path;
    std::string name;
    std::string bus;
    std::string driver;
    Message reason;
    std::string for_sake_of;  ///< path of the kept device that stands on this one, or empty
    bool follows = false;     ///< no step of its own: it goes with what it stands on, where that goes

    bool operator==(const Kept&) const = default;
};

/// Virtual functions to be switched off before the physical one is unbound.
struct SriovOff {
    std::string path;
    std::uint32_t functions = 0;

    bool operator==(const SriovOff&) const = default;
};

struct Plan {
    std::vector<SriovOff> sriov;
    std::vector<std::string> autoprobe_off;  ///< buses, all of them
    std::vector<PlanStep> steps;             ///< in the order of remove
    std::vector<Kept> kept;
    std::vector<Message> refusals;  ///< users that stand in the way; not empty: nothing may be touched
    std::vector<Message> notes;     ///< what is worth knowing: a device-link edge that was dropped, a hung chain

    [[nodiscard]] bool refused() const { return !refusals.empty(); }
    [[nodiscard]] const Kept* kept_at(std::string_view path) const;
    /// The plan in plain lines, one a step, for people and for journals.
    [[nodiscard]] std::vector<std::string> text() const;
    bool operator==(const Plan&) const = default;
};

/// Orders and judges. Pure: the same inventory and policy give the same plan.
[[nodiscard]] Plan make_plan(const Inventory& inventory, const Policy& policy);

}  // namespace stillboot::quiesce
