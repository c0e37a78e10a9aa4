// SPDX-License-Identifier: Apache-2.0
// Runs the steps of a plan: what waits for nothing in parallel, each with its deadline, all within a budget.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

#include "config/base/result.hpp"
#include "quiesce/device_nodes.hpp"
#include "quiesce/plan.hpp"
#include "quiesce/ports.hpp"
#include "quiesce/record.hpp"

namespace stillboot::quiesce {

/// Keeps the record of what is about to be done, before it is done. @error any: the act is then not done.
using Persist = std::function<Result<void>(const UndoRecord&)>;

/// A step under way.
struct RunningStep {
    const PlanStep* step = nullptr;
    std::chrono::milliseconds elapsed{0};
    bool slow = false;    ///< takes longer than a step should
    std::string held_by;  ///< of a slow one: "pulseaudio (process 812)", or empty
};

struct StepProgress {
    std::vector<RunningStep> running;  ///< the one that began first stands first
    std::size_t done = 0;
    std::size_t total = 0;
    std::chrono::milliseconds left_at_most{0};  ///< until every deadline of what is left would have passed
};

/// What is under way in words: the slow ones first, a few of the others by name. No times, so that it changes only
/// when something has changed.
[[nodiscard]] Message message_of(const StepProgress& progress);

/// Told when a step begins or ends, and twice a second while one runs.
using OnProgress = std::function<void(const StepProgress&)>;

struct StepOutcome {
    enum class End {
        done,
        already_gone,
        failed,
        hung,     ///< its deadline passed: the writer is left behind in the kernel
        crashed,  ///< the kernel ended its writer: the driver died in its remove
    };
    PlanStep step;
    End end = End::done;
    int error_number = 0;
    std::chrono::milliseconds took{0};
};

/// "done", "already gone", "failed", "hung" or "crashed". Lifetime: static.
[[nodiscard]] std::string_view to_word(StepOutcome::End end);

struct RunnerOptions {
    Persist persist;
    OnProgress on_progress;
    /// Told before the state store's own devices go, once, with what has been done by then.
    std::function<void(const std::vector<StepOutcome>&)> on_store_goes;
    std::stop_token stop;  ///< looked at before each batch of acts
    std::size_t parallel = 64;
    bool release_holders = false;      ///< whoever holds a slow device open is asked to end
    std::chrono::seconds budget{300};  ///< of everything that this runner runs
};

/// Lifetime: borrows all it is given, and writes record and outcomes as it goes.
class StepRunner {
public:
    StepRunner(const Ports& ports, const RunnerOptions& options, UndoRecord& record,
               std::vector<StepOutcome>& outcomes);

    /// Runs a graph of steps to its end, or until one fails; those under way then are waited for. Before each
    /// batch of acts comes its record, then a journal line for each. May be called again with further steps.
    /// @error quiesce.cancelled, quiesce.hung, quiesce.crashed, quiesce.unbind_failed, quiesce.sriov_failed,
    ///   quiesce.out_of_time, or that of persist
    /// Blocking: until the deadlines at most.
    Result<void> run(const std::vector<PlanStep>& steps);

private:
    enum class Phase { waiting, running, ended };
    struct Running {
        std::size_t step = 0;
        int ticket = 0;
        Clock::Instant began;
        Clock::Instant give_up_at;
        bool slow = false;
        std::string held_by;
    };

    void start_ready();
    [[nodiscard]] std::vector<std::size_t> ready_batch() const;
    [[nodiscard]] bool is_ready(std::size_t step) const;
    bool announce(const std::vector<std::size_t>& batch);
    void record_unbound(const PlanStep& step);
    void start(std::size_t step);
    void on_ended(const AttributeWriter::Ended& ended);
    void look_at_slow();
    void give_up_late();
    void finish(const Running& running, StepOutcome::End end, int error_number);
    void finish_failed(const Running& running, int error_number);
    void fail(Error error);
    void tell() const;
    [[nodiscard]] std::chrono::milliseconds patience() const;
    [[nodiscard]] std::chrono::milliseconds left_at_most() const;
    [[nodiscard]] std::chrono::milliseconds since(Clock::Instant when) const;
    [[nodiscard]] bool still_to_do(const PlanStep& step) const;

    const Ports& ports_;
    const RunnerOptions& options_;
    UndoRecord& record_;
    DeviceNodes nodes_;
    std::vector<StepOutcome>& outcomes_;
    std::function<void(const std::vector<StepOutcome>&)> on_store_goes_;
    Clock::Instant budget_end_;

    const std::vector<PlanStep>* steps_ = nullptr;
    std::vector<Phase> phases_;
    std::vector<Running> running_;
    std::size_t first_open_ = 0;   // every step before it has ended
    std::size_t done_before_ = 0;  // outcomes of earlier runs
    std::optional<Error> failure_;
};

}  // namespace stillboot::quiesce
