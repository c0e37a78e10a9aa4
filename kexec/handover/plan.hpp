// SPDX-License-Identifier: Apache-2.0
// The hand-over as a value: which steps in which order, in words, before anything is done.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "config/model/settings.hpp"
#include "kexec/handover/handover.hpp"
#include "quiesce/plan.hpp"

namespace stillboot::handover {

struct Options {
    enum class LoadWhen { at_rest, before_take_down };
    enum class Goal {
        jump,
        load_only,  ///< `stillboot load` without --exec: no device is touched
    };

    Trial trial = Trial::automatic;
    Moving moving = Moving::refuse;
    OnHang on_hang = OnHang::restart;
    std::chrono::seconds watchdog{0};  ///< that guards the jump; 0 for none
    bool report_on_command_line = false;
    bool release_holders = false;
    LoadWhen load_when = LoadWhen::at_rest;
    Goal goal = Goal::jump;
};

struct PlannedStep {
    Step step = Step::fetch;
    Message what;

    bool operator==(const PlannedStep&) const = default;
};

struct Plan {
    Request request;
    Options options;
    std::vector<PlannedStep> steps;  ///< the executor does just these, in this order
    quiesce::Plan devices;           ///< as things stand now; made again when all of ours is taken down
    std::vector<Message> refusals;   ///< not empty: nothing will be done

    /// In plain lines, one a step with its number, the devices under theirs, for --dry-run.
    [[nodiscard]] std::vector<std::string> text() const;
};

/// What the plan depends on beside the request.
struct Situation {
    quiesce::Plan devices;
    std::vector<Message> beyond_us;           ///< users that nobody of ours can end
    std::optional<unsigned> load_calls_left;  ///< empty: no limit
    std::vector<std::string> before_boot;     ///< the names of hooks
    std::vector<std::string> before_quiesce;
};

/// Pure: the same request, options and situation give the same plan.
[[nodiscard]] Plan make_plan(Request request, Options options, Situation situation);

/// True where the trial load runs: `automatic` wants three calls (load, unload, load for good).
[[nodiscard]] bool trial_wanted(Trial setting, std::optional<unsigned> calls_left);

}  // namespace stillboot::handover
