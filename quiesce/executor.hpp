// SPDX-License-Identifier: Apache-2.0
// Carries out a plan: nothing may bind any more, then step by step.
#pragma once

#include <optional>
#include <vector>

#include "quiesce/step_runner.hpp"

namespace stillboot::quiesce {

struct Execution {
    UndoRecord record;  ///< true at every end, good or bad
    std::vector<StepOutcome> outcomes;
    std::optional<Error> failure;  ///< set: nothing may be loaded or jumped to; undo instead

    [[nodiscard]] bool ok() const { return !failure.has_value(); }
    /// A driver hangs or has died with its device's lock, whatever failed first: the kernel's own way to a jump or
    /// a restart would wait for it for ever.
    [[nodiscard]] bool holds_a_lock() const { return !record.hung.empty(); }
};

struct ExecuteOptions {
    Policy policy;  ///< to plan again for what was bound while we worked
    RunnerOptions runner;
};

/// Does what the plan says: udev's queue and autoprobe off, then the steps, as parallel as their graph allows.
/// After the last step it is looked who is bound, and what was bound meanwhile is unbound too.
/// machine: what the plan was made from.
/// Blocking: the budget at most.
/// @error in Execution::failure: quiesce.refused (the plan has refusals), quiesce.autoprobe_failed,
/// quiesce.binds_again, and those of StepRunner::run. After quiesce.hung or quiesce.crashed a device lock is held
/// for good: no kexec and no plain reboot may follow.
[[nodiscard]] Execution execute(const Plan& plan, const Inventory& machine, const Ports& ports,
                                const ExecuteOptions& options);

}  // namespace stillboot::quiesce
