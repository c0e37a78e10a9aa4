// SPDX-License-Identifier: Apache-2.0
// Carries out a plan: virtual functions off, autoprobe off, then one unbind after another.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

#include "config/base/result.hpp"
#include "quiesce/plan.hpp"
#include "quiesce/ports.hpp"
#include "quiesce/record.hpp"

namespace stillboot::quiesce {

/// Keeps the record of what is about to be done, before it is done. @error any: the act is then not done.
using Persist = std::function<Result<void>(const UndoRecord&)>;
/// Told before each unbind: which, how many are done, how many there are.
using OnStep = std::function<void(const PlanStep& step, std::size_t done, std::size_t total)>;

struct StepOutcome {
    enum class End { unbound, already_gone, failed, hung };
    PlanStep step;
    End end = End::unbound;
    int error_number = 0;
    std::chrono::milliseconds took{0};
};

/// "unbound", "already gone", "failed" or "hung". Lifetime: static.
[[nodiscard]] std::string_view to_word(StepOutcome::End end);

struct Execution {
    UndoRecord record;  ///< true at every end, good or bad
    std::vector<StepOutcome> outcomes;
    std::optional<Error> failure;  ///< set: nothing may be loaded or jumped to; undo instead

    [[nodiscard]] bool ok() const { return !failure.has_value(); }
};

struct ExecuteOptions {
    Policy policy;  ///< to plan again for what was bound while we worked
    Persist persist;
    OnStep on_step;
    std::stop_token stop;  ///< looked at between acts
};

/// Does what the plan says, serially; each write has its own worker and deadline. Before each act a journal
/// line and the record. After the last step the machine is read again, and what was bound meanwhile is
/// unbound too. Blocking: the sum of the deadlines at most.
/// @error in Execution::failure: quiesce.refused (the plan has refusals), quiesce.cancelled, quiesce.hung
/// (device, driver, seconds: its worker is left behind and no kexec or plain reboot may follow),
/// quiesce.unbind_failed, quiesce.autoprobe_failed, quiesce.sriov_failed, or the error of persist.
[[nodiscard]] Execution execute(const Plan& plan, const Ports& ports, const ExecuteOptions& options);

}  // namespace stillboot::quiesce
