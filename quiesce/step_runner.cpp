// SPDX-License-Identifier: Apache-2.0
// The scheduler of steps: a batch of all that is ready, then whatever ends first.
#include "quiesce/step_runner.hpp"

#include <algorithm>
#include <utility>

#include "quiesce/sysfs.hpp"
#include "quiesce/verify.hpp"

namespace stillboot::quiesce {
namespace {

using namespace std::chrono_literals;

constexpr auto tick = 500ms;
constexpr auto slow_after = 3s;

std::chrono::milliseconds to_milliseconds(Clock::Instant::duration time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time);
}

std::string file_of(const PlanStep& step) {
    switch (step.action) {
        case StepAction::unbind: return "/sys/bus/" + step.bus + "/drivers/" + step.driver + "/unbind";
        case StepAction::sriov_off: return step.path + "/sriov_numvfs";
        case StepAction::reset: return step.path + "/reset";
    }
    return {};
}

std::string text_of(const PlanStep& step) {
    switch (step.action) {
        case StepAction::unbind: return step.name;
        case StepAction::sriov_off: return "0";
        case StepAction::reset: return "1";
    }
    return {};
}

std::string_view failure_code(StepAction action) {
    switch (action) {
        case StepAction::unbind: return "quiesce.unbind_failed";
        case StepAction::sriov_off: return "quiesce.sriov_failed";
        case StepAction::reset: return "quiesce.reset_failed";
    }
    return {};
}

std::string_view hang_code(const PlanStep& step, bool held) {
    return step.action == StepAction::reset ? "quiesce.reset_hung" : held ? "quiesce.hung_held" : "quiesce.hung";
}

Message journal_line(const PlanStep& step, std::uint64_t number, std::uint64_t total) {
    switch (step.action) {
        case StepAction::unbind:
            return Message("quiesce.journal_unbind", {{"number", number},
                                                      {"total", total},
                                                      {"device", step.name},
                                                      {"driver", step.driver},
                                                      {"bus", step.bus}});
        case StepAction::sriov_off: return Message("quiesce.journal_sriov", {{"device", step.name}});
        case StepAction::reset: return Message("quiesce.journal_reset", {{"device", step.name}});
    }
    return {};
}

RecordedDevice recorded(const Root& root, const PlanStep& step) {
    return {step.path,
            step.name,
            step.bus,
            step.driver,
            stable_identity(step.path),
            attribute_or_empty(root, step.path + "/modalias")};
}

}  // namespace

StepRunner::StepRunner(const Ports& ports, const RunnerOptions& options, UndoRecord& record,
                       std::vector<StepOutcome>& outcomes)
    : ports_(ports),
      options_(options),
      record_(record),
      nodes_(ports.root),
      outcomes_(outcomes),
      on_store_goes_(options.on_store_goes),
      budget_end_(ports.clock.now() + options.budget) {}

Result<void> StepRunner::run(const std::vector<PlanStep>& steps) {
    steps_ = &steps;
    phases_.assign(steps.size(), Phase::waiting);
    first_open_ = 0;
    done_before_ = outcomes_.size();
    while (!failure_ && first_open_ < steps.size()) {
        start_ready();
        // To its end also after a failure: what is under way must be known to be over, or known to hang.
        do {
            for (const auto& ended : ports_.writer.wait(patience())) {
                on_ended(ended);
            }
            look_at_slow();
            give_up_late();
            tell();
        } while (!running_.empty() && (failure_ || ready_batch().empty()));
    }
    return failure_ ? Result<void>(*failure_) : Result<void>();
}

bool StepRunner::is_ready(std::size_t step) const {
    const auto& waits_for = (*steps_)[step].waits_for;
    return phases_[step] == Phase::waiting &&
           std::all_of(waits_for.begin(), waits_for.end(),
                       [this](std::size_t before) { return phases_[before] == Phase::ended; });
}

// Stages never decrease along the steps, so that the first open one tells which stage it is.
std::vector<std::size_t> StepRunner::ready_batch() const {
    std::vector<std::size_t> batch;
    if (first_open_ == steps_->size()) {
        return batch;
    }
    const int stage = (*steps_)[first_open_].stage;
    const std::size_t limit = stage == state_store_stage ? 1 : options_.parallel;
    for (std::size_t i = first_open_; i < steps_->size() && (*steps_)[i].stage == stage; ++i) {
        if (running_.size() + batch.size() >= limit) {
            break;
        }
        if (is_ready(i)) {
            batch.push_back(i);
        }
    }
    return batch;
}

void StepRunner::start_ready() {
    const auto batch = ready_batch();
    if (options_.stop.stop_requested()) {
        return fail(Error("quiesce.cancelled"));
    }
    if (ports_.clock.now() >= budget_end_) {
        return fail(Error("quiesce.out_of_time", {{"seconds", std::int64_t{options_.budget.count()}}}));
    }
    if (!batch.empty() && (*steps_)[batch.front()].stage == state_store_stage) {
        if (const auto tell_once = std::exchange(on_store_goes_, nullptr)) {
            tell_once(outcomes_);
        }
    }
    if (!announce(batch)) {
        return;
    }
    for (const std::size_t step : batch) {
        start(step);
    }
    tell();
}

// What was bound again, and goes again, comes back once.
void StepRunner::record_unbound(const PlanStep& step) {
    RecordedDevice device = recorded(ports_.root, step);
    std::erase_if(record_.unbound, [&](const RecordedDevice& earlier) {
        return earlier.path == device.path && earlier.modalias == device.modalias;
    });
    record_.unbound.push_back(std::move(device));
}

// The record and the lines come before the acts. A record that cannot be kept stops all of them.
bool StepRunner::announce(const std::vector<std::size_t>& batch) {
    const UndoRecord before = record_;
    for (const std::size_t i : batch) {
        const PlanStep& step = (*steps_)[i];
        record_.in_flight.push_back(step.path);
        if (step.action == StepAction::unbind) {
            record_unbound(step);
        } else if (step.action == StepAction::sriov_off) {
            record_.virtual_functions[step.path] = static_cast<std::uint32_t>(
                parse_number(attribute_or_empty(ports_.root, step.path + "/sriov_numvfs"), 10));
        }
    }
    if (options_.persist) {
        if (auto kept = options_.persist(record_); !kept) {
            record_ = before;
            fail(kept.error());
            return false;
        }
    }
    std::uint64_t number = outcomes_.size() + running_.size();
    for (const std::size_t i : batch) {
        ports_.journal.line(journal_line((*steps_)[i], ++number, done_before_ + steps_->size()));
    }
    return true;
}

bool StepRunner::still_to_do(const PlanStep& step) const {
    const std::string driver = current_driver(ports_.root, step.path);
    // What was bound again has its turn as a late comer; nothing that is bound is reset.
    return step.action == StepAction::reset ? driver.empty() && ports_.root.exists(file_of(step))
                                            : driver == step.driver;
}

void StepRunner::start(std::size_t step) {
    const PlanStep& what = (*steps_)[step];
    Running running;
    running.step = step;
    running.began = ports_.clock.now();
    running.give_up_at = std::min<Clock::Instant>(running.began + what.deadline, budget_end_);
    if (!still_to_do(what)) {
        return finish(running, StepOutcome::End::already_gone, 0);
    }
    if (what.action == StepAction::reset) {
        stop_function(ports_, what.path);  // a reset gives back the command register as it was before
    }
    const auto ticket = ports_.writer.start(ports_.root, file_of(what), text_of(what));
    if (!ticket) {
        return finish_failed(running, ticket.error().error_number());
    }
    running.ticket = *ticket;
    phases_[step] = Phase::running;
    running_.push_back(running);
}

void StepRunner::on_ended(const AttributeWriter::Ended& ended) {
    const auto found = std::find_if(running_.begin(), running_.end(),
                                    [&](const Running& running) { return running.ticket == ended.ticket; });
    if (found == running_.end()) {
        return;
    }
    const Running running = *found;
    running_.erase(found);
    const PlanStep& step = (*steps_)[running.step];
    switch (ended.outcome.end) {
        case WriteOutcome::End::done: return finish(running, StepOutcome::End::done, 0);
        case WriteOutcome::End::failed: return finish_failed(running, ended.outcome.error_number);
        case WriteOutcome::End::hung:
        case WriteOutcome::End::crashed: break;
    }
    record_.hung.push_back(step.path);
    finish(running, StepOutcome::End::crashed, 0);
    fail(Error("quiesce.crashed", {{"device", step.path}, {"driver", step.driver}}));
}

void StepRunner::finish_failed(const Running& running, int error_number) {
    const PlanStep& step = (*steps_)[running.step];
    // A parent's remove, or the kernel for a supplier, was quicker.
    if (!still_to_do(step)) {
        return finish(running, StepOutcome::End::already_gone, error_number);
    }
    finish(running, StepOutcome::End::failed, error_number);
    fail(Error::from_errno(error_number, failure_code(step.action),
                           {{"device", step.path}, {"driver", step.driver}}));
}

// A remove that waits usually waits for somebody who holds the device open.
void StepRunner::look_at_slow() {
    for (Running& running : running_) {
        if (running.slow || since(running.began) < slow_after) {
            continue;
        }
        running.slow = true;
        const PlanStep& step = (*steps_)[running.step];
        for (const Holder& holder : nodes_.holders(ports_.root, step.path)) {
            running.held_by += (running.held_by.empty() ? "" : ", ") + holder.words();
            ports_.journal.line(
                Message(options_.release_holders ? "quiesce.journal_release" : "quiesce.journal_held",
                        {{"device", step.name},
                         {"driver", step.driver},
                         {"node", holder.node},
                         {"holder", holder.words()}}));
            if (options_.release_holders) {
                ports_.processes.ask_to_end(holder.pid);
            }
        }
    }
}

void StepRunner::give_up_late() {
    const auto now = ports_.clock.now();
    const auto late = std::stable_partition(running_.begin(), running_.end(),
                                            [&](const Running& running) { return running.give_up_at > now; });
    const std::vector<Running> given_up(late, running_.end());
    running_.erase(late, running_.end());
    for (const Running& running : given_up) {
        const PlanStep& step = (*steps_)[running.step];
        ports_.writer.leave_behind(running.ticket);
        record_.hung.push_back(step.path);
        finish(running, StepOutcome::End::hung, 0);
        fail(Error(
            hang_code(step, !running.held_by.empty()),
            {{"device", step.path},
             {"driver", step.driver},
             {"holder", running.held_by},
             {"seconds", std::int64_t{std::chrono::round<std::chrono::seconds>(now - running.began).count()}}}));
    }
}

void StepRunner::finish(const Running& running, StepOutcome::End end, int error_number) {
    const PlanStep& step = (*steps_)[running.step];
    phases_[running.step] = Phase::ended;
    while (first_open_ < steps_->size() && phases_[first_open_] == Phase::ended) {
        ++first_open_;
    }
    std::erase(record_.in_flight, step.path);
    outcomes_.push_back({step, end, error_number, since(running.began)});
}

// The first failure is the one that is told; the record has to know all of them.
void StepRunner::fail(Error error) {
    ports_.journal.line(error.message());
    if (!failure_) {
        failure_ = std::move(error);
    }
    if (!record_.hung.empty() && options_.persist) {
        (void)options_.persist(record_);  // it failed already; the hang is the news
    }
}

std::chrono::milliseconds StepRunner::since(Clock::Instant when) const {
    return to_milliseconds(ports_.clock.now() - when);
}

std::chrono::milliseconds StepRunner::patience() const {
    if (running_.empty()) {
        return 0ms;
    }
    auto until = ports_.clock.now() + tick;
    for (const Running& running : running_) {
        until = std::min<Clock::Instant>(until, running.give_up_at);
    }
    return std::max(1ms, to_milliseconds(until - ports_.clock.now()));
}

// One pass: steps stand behind what they wait for, and behind every lower stage.
std::chrono::milliseconds StepRunner::left_at_most() const {
    std::vector<std::chrono::milliseconds> over(steps_->size(), 0ms);
    for (const Running& running : running_) {
        over[running.step] = to_milliseconds(running.give_up_at - ports_.clock.now());
    }
    std::chrono::milliseconds all = 0ms;
    std::chrono::milliseconds lower_stages = 0ms;
    int stage = 0;
    for (std::size_t i = first_open_; i < steps_->size(); ++i) {
        const PlanStep& step = (*steps_)[i];
        if (step.stage != stage) {
            lower_stages = all;
            stage = step.stage;
        }
        if (phases_[i] == Phase::waiting) {
            auto begins = lower_stages;
            for (const std::size_t before : step.waits_for) {
                begins = std::max(begins, over[before]);
            }
            over[i] = begins + step.deadline;
        }
        all = std::max(all, over[i]);
    }
    return std::min(all, std::max(0ms, to_milliseconds(budget_end_ - ports_.clock.now())));
}

void StepRunner::tell() const {
    if (!options_.on_progress) {
        return;
    }
    StepProgress progress;
    for (const Running& running : running_) {
        progress.running.push_back(
            {&(*steps_)[running.step], since(running.began), running.slow, running.held_by});
    }
    progress.done = outcomes_.size();
    progress.total = done_before_ + steps_->size();
    progress.left_at_most = left_at_most();
    options_.on_progress(progress);
}

Message message_of(const StepProgress& progress) {
    constexpr std::size_t most_named = 4;
    std::string slow;
    std::string others;
    for (std::size_t i = 0; i < progress.running.size(); ++i) {
        const RunningStep& running = progress.running[i];
        std::string& names = running.slow ? slow : others;
        if (running.slow || i < most_named) {
            names += (names.empty() ? "" : ", ") + running.step->name + " (" + running.step->driver + ")";
            names += running.held_by.empty() ? "" : ", held open by " + running.held_by + ",";
        }
    }
    if (progress.running.size() > most_named) {
        others += (others.empty() ? "" : " ") + ("of " + std::to_string(progress.running.size()));
    }
    if (!slow.empty()) {
        return Message(others.empty() ? "quiesce.slow" : "quiesce.slow_and_running",
                       {{"slow", slow}, {"devices", others}});
    }
    return others.empty() ? Message("quiesce.running_none") : Message("quiesce.running", {{"devices", others}});
}

std::string_view to_word(StepOutcome::End end) {
    switch (end) {
        case StepOutcome::End::done: return "done";
        case StepOutcome::End::already_gone: return "already gone";
        case StepOutcome::End::failed: return "failed";
        case StepOutcome::End::hung: return "hung";
        case StepOutcome::End::crashed: return "crashed";
    }
    return "";
}

}  // namespace stillboot::quiesce
