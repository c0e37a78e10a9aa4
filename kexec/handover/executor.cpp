// SPDX-License-Identifier: Apache-2.0
// The executor of a hand-over: one step after the other, and the way back from where one fails.
#include "kexec/handover/executor.hpp"

#include "kexec/handover/hand_over.hpp"
#include "kexec/handover/lock.hpp"
#include "kexec/handover/report.hpp"

namespace stillboot::handover {
namespace {

Error cancelled_error() {
    return Error("handover.cancelled");
}

// As the rooms that were stopped say it.
bool is_cancellation(const Error& error) {
    return error.code() == "handover.cancelled" || error.code() == "probe.cancelled" ||
           error.code() == "quiesce.cancelled";
}

}  // namespace

void HandOver::tell(Step at, Message message, std::uint64_t done, std::uint64_t total) {
    Event event;
    event.step = at;
    event.message = std::move(message);
    event.done = done;
    event.total = total;
    event.elapsed = since(began_);
    ports_.observer.on_event(event);
}

void HandOver::tell_unbinding(const quiesce::StepProgress& progress) {
    ports_.observer.on_event(event_of(progress, since(began_)));
}

Result<void> HandOver::announce(const PlannedStep& planned) {
    tell(planned.step, planned.what);
    if (!attempt_) {
        return {};
    }
    ports_.journal.line(planned.what);
    return attempt_->enter(planned.step);
}

void HandOver::run_steps(Outcome& outcome) {
    if (!plan_.refusals.empty()) {
        outcome.failure = Error(plan_.refusals.front());
        return;
    }
    for (const PlannedStep& planned : plan_.steps) {
        const Clock::Instant began = ports_.clock.now();
        outcome.failed_at = planned.step;
        Result<void> done = stop_.stop_requested() ? cancelled_error() : announce(planned);
        if (done && stop_.stop_requested()) {
            done = cancelled_error();
        }
        if (done) {
            done = step(planned.step);
        }
        times_.push_back({planned.step, since(began)});
        if (!done) {
            // What failed by itself while it was being cancelled is told as what it is.
            outcome.cancelled = stop_.stop_requested() && is_cancellation(done.error());
            outcome.failure = outcome.cancelled ? cancelled_error() : done.error();
            return;
        }
    }
}

Outcome HandOver::run() {
    Outcome outcome;
    run_steps(outcome);
    outcome.notes = notes_;
    outcome.times = times_;
    if (attempt_) {
        if (outcome.failure) {
            restart_past_hang(outcome);
        }
        outcome.notes.insert(outcome.notes.end(), attempt_->notes().begin(), attempt_->notes().end());
    }
    // What an attempt of an earlier kernel had used up this one, which is that again, gives back in its place.
    if (outcome.failure && !attempt_ && plan_.request.used_before.any()) {
        attempt_.emplace(ports_, plan_.request, images_.command_line(), false);
    }
    if (outcome.failure && attempt_) {
        undo(outcome);
    } else if (outcome.failure && loaded_) {
        unload_trial(outcome);
    }
    return outcome;
}

Result<Plan> prepare(const Request& request, const Options& options, const Ports& ports) {
    Situation situation;
    situation.load_calls_left = ports.loader.calls_left();
    if (options.goal == Options::Goal::jump) {
        auto devices = ports.quiescer.plan();
        if (!devices) {
            return devices.error();
        }
        situation.devices = std::move(*devices);
        situation.before_boot = ports.hooks.names(HookPoint::before_boot);
        situation.before_quiesce = ports.hooks.names(HookPoint::before_quiesce);
        situation.beyond_us = ports.surroundings.beyond_us(situation.devices.refusals);
    }
    return make_plan(request, options, std::move(situation));
}

Outcome run(const Plan& plan, const Ports& ports, std::stop_token stop) {
    Outcome outcome;
    auto lock = Lock::take(ports.root);
    if (!lock) {
        outcome.failure = lock.error();
        return outcome;
    }
    if (const std::string device = held_device(ports.run_store, ports.root); !device.empty()) {
        outcome.failure = Error("handover.held", {{"device", device}});
        return outcome;
    }
    // Its record would be written over: who else would give that back?
    const auto earlier = put_back(ports, false);
    if (earlier && *earlier && (*earlier)->owes()) {
        outcome.failure = Error("handover.owed", {{"title", (*earlier)->record.title},
                                                  {"reason", (*earlier)->not_back.front().sentence()}});
        return outcome;
    }
    outcome = HandOver(plan, ports, std::move(stop)).run();
    if (earlier && *earlier) {
        outcome.notes.insert(outcome.notes.begin(), (*earlier)->not_back.begin(), (*earlier)->not_back.end());
    }
    return outcome;
}

}  // namespace stillboot::handover
