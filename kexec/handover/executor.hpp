// SPDX-License-Identifier: Apache-2.0
// Runs a plan: forward to the jump, or back to where things were.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "kexec/handover/past_attempts.hpp"
#include "kexec/handover/plan.hpp"
#include "kexec/handover/ports.hpp"
#include "kexec/handover/record.hpp"

namespace stillboot::handover {

struct StepTime {
    Step step = Step::fetch;
    std::chrono::milliseconds took{0};
};

/// How a hand-over ended that did not end in another kernel.
struct Outcome {
    Step failed_at = Step::fetch;
    std::optional<Error> failure;  ///< empty only where the goal was load_only and it is loaded
    bool cancelled = false;
    bool undone = false;            ///< something had been done from the commit on, and was undone
    std::vector<Message> not_back;  ///< what the undo could not bring back, each by name
    std::vector<Message> notes;
    std::vector<StepTime> times;

    [[nodiscard]] bool loaded() const { return !failure.has_value(); }
};

/// Reads the machine and makes the plan. Nothing is changed. @error those of Quiescer::plan()
[[nodiscard]] Result<Plan> prepare(const Request& request, const Options& options, const Ports& ports);

/// Runs the plan's steps, once what an earlier hand-over of this boot still owes is given back. Does not return
/// where the jump succeeds. A failure before the commit leaves the machine untouched; one from the commit on is
/// undone in reverse: the loaded kernel unloaded, devices back, what was stopped started, the record removed where
/// all of it came back. `stop` is looked at before and within each step; after the first unbind it means undo.
/// @error in Outcome::failure: that of the step, handover.refused (the first of the plan's refusals),
///   handover.cancelled, handover.busy (another hand-over holds the lock), handover.moving, handover.owed (what an
///   earlier one had used up cannot be given back: this one would forget it)
/// Blocking: minutes. Thread: one that nothing else waits for; the observer is called on it.
[[nodiscard]] Outcome run(const Plan& plan, const Ports& ports, std::stop_token stop = {});

/// How a hand-over that was to jump has ended, for the list of attempts: kept in the state store too, where the
/// machine has one. What the store says against it goes to the journal.
PastAttempt note_ended(const Ports& ports, const Request& request, const Outcome& outcome);

/// Finds the state store, whose device may be some seconds late; null where it does not come. Blocking.
using FindStore = std::function<std::shared_ptr<quiesce::StateStore>()>;

/// What recover() found and did.
struct Recovery {
    Record record;
    std::vector<Message> not_back;

    [[nodiscard]] bool complete() const { return not_back.empty(); }
    /// Something that it had used up is not given back yet: the record names it.
    [[nodiscard]] bool owes() const { return record.any(); }
};

/// Called when the daemon starts: a record of this very boot means that a hand-over was cut off here, and
/// everything is put back. The record goes only when all of it came back: the next start, and the next hand-over
/// before it begins, try again what it still names. A record of
/// another boot is none of ours and is cleared from /run.
/// @param find_store  asked once all is back, where the store's own devices had gone, too: only the store can give
/// back what the attempt had used up
/// @return nothing where there was nothing to do
/// @error handover.busy (its hand-over is still running), those of record_from_text and of the store
[[nodiscard]] Result<std::optional<Recovery>> recover(const Ports& ports, const FindStore& find_store = {});

}  // namespace stillboot::handover
