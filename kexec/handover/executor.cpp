// SPDX-License-Identifier: Apache-2.0
// The executor of a hand-over: each step, and the way back.
#include "kexec/handover/executor.hpp"

#include <algorithm>

#include "kexec/handover/attempt.hpp"
#include "kexec/handover/images.hpp"
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

/// One hand-over under way. Thread: one.
class HandOver {
public:
    HandOver(const Plan& plan, const Ports& ports, std::stop_token stop)
        : plan_(plan),
          ports_(ports),
          stop_(std::move(stop)),
          began_(ports.clock.now()),
          images_(plan.request, ports, [this](Step at, Message message, std::uint64_t done, std::uint64_t total) {
              tell(at, std::move(message), done, total);
          }) {}

    Outcome run();

private:
    Result<void> announce(const PlannedStep& planned);
    Result<void> step(Step which);
    Result<void> run_hooks(HookPoint point);
    Result<void> unwrap();
    Result<void> trial_load();
    Result<void> commit();
    Result<void> count_try();
    Result<void> take_try(const Try& one);
    Result<void> take_down();
    Result<void> unbind();
    Result<void> check();
    Result<void> load_for_good();
    Result<void> arm_watchdog();
    Result<void> jump();

    void restart_past_hang(Outcome& outcome);
    void undo(Outcome& outcome);
    void unload(Outcome& outcome);
    void give_try_back(Outcome& outcome);
    void let_go_of_store(const std::vector<quiesce::StepOutcome>& done);
    void report(const quiesce::Verification& verification);
    void report_on_command_line(const quiesce::Verification& verification);
    Result<void> load(Step at, const kexec::LoadOrder& what);
    void tell(Step at, Message message, std::uint64_t done = 0, std::uint64_t total = 0);
    void tell_unbinding(const quiesce::StepProgress& progress);
    std::chrono::milliseconds since(Clock::Instant when) const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(ports_.clock.now() - when);
    }

    const Plan& plan_;
    const Ports& ports_;
    std::stop_token stop_;
    Clock::Instant began_;
    Images images_;
    Clock::Instant go_{};  ///< when the first device was looked at to be unbound

    std::vector<Message> notes_;
    std::vector<StepTime> times_;
    std::optional<Attempt> attempt_;  ///< from the commit on
    std::vector<quiesce::StepOutcome> outcomes_;
    quiesce::Plan devices_;
    bool taken_down_ = false;
    bool devices_touched_ = false;
    bool loaded_ = false;
};

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

Result<void> HandOver::step(Step which) {
    switch (which) {
        case Step::before_boot: return run_hooks(HookPoint::before_boot);
        case Step::fetch: return images_.fetch(stop_);
        // Their place in the order is what counts today: later issues fill them.
        case Step::verify:
        case Step::measure: return {};
        case Step::unwrap: return unwrap();
        case Step::trial_load: return trial_load();
        case Step::memory: return images_.check_memory();
        case Step::commit: return commit();
        case Step::before_quiesce: return run_hooks(HookPoint::before_quiesce);
        case Step::take_down: return take_down();
        case Step::unbind: return unbind();
        case Step::check: return check();
        case Step::load: return load_for_good();
        case Step::watchdog: return arm_watchdog();
        case Step::jump: return jump();
        case Step::undo: break;
    }
    return {};
}

Result<void> HandOver::run_hooks(HookPoint point) {
    return ports_.hooks.run(
        point, subject_of(plan_.request), [this](const Message& line) { ports_.observer.on_line(line); }, stop_);
}

Result<void> HandOver::unwrap() {
    auto unwrapped = images_.unwrap();
    notes_ = images_.notes();
    return unwrapped;
}

Result<void> HandOver::trial_load() {
    kexec::LoadOrder trial = images_.order();
    trial.trial = true;
    if (auto loaded = load(Step::trial_load, trial); !loaded) {
        return loaded;
    }
    auto unloaded = ports_.loader.unload();
    loaded_ = !unloaded;
    return unloaded;
}

Result<void> HandOver::commit() {
    attempt_.emplace(ports_, plan_.request, images_.command_line(),
                     plan_.options.watchdog.count() > 0);  // a write that fails half-way has to be cleared too
    auto committed = attempt_->commit();
    return committed ? count_try() : committed;
}

Result<void> HandOver::count_try() {
    const auto& file = plan_.request.entry_file;
    if (!file) {
        return {};
    }
    if (const auto one = plan_.request.counted_try()) {
        if (auto taken = take_try(*one); !taken) {
            return taken;
        }
    }
    const std::string word = bless_word(*file);
    if (word.empty() || !images_.append(word)) {
        notes_.emplace_back("handover.no_bless_word");
    }
    return {};
}

// What cannot be counted is booted all the same, but not by itself while there is something else: an entry that
// panics would be tried for ever where nobody looks.
Result<void> HandOver::take_try(const Try& one) {
    if (auto written = attempt_->will_count(one); !written) {
        return written;
    }
    const auto taken = ports_.counter.take(one);
    if (!taken) {
        attempt_->not_counted();
    }
    const std::string reason = taken ? std::string() : taken.error().sentence();
    if (!taken && plan_.request.must_count) {
        return Error("handover.cannot_count", {{"title", plan_.request.title}, {"reason", reason}});
    }
    Message said = taken ? Message("handover.counted",
                                   {{"name", one.file.path()}, {"after", one.after}, {"device", one.file.node}})
                         : Message("handover.not_counted", {{"reason", reason}});
    ports_.journal.line(said);
    if (!taken) {
        notes_.push_back(said);
    }
    tell(Step::commit, std::move(said));
    return {};
}

Result<void> HandOver::take_down() {
    taken_down_ = true;
    if (auto kept = attempt_->will_close(ports_.surroundings.volumes()); !kept) {
        return kept;
    }
    return ports_.surroundings.take_down();
}

Result<void> HandOver::unbind() {
    go_ = ports_.clock.now();
    auto devices = ports_.quiescer.plan();
    if (!devices) {
        return devices.error();
    }
    devices_ = std::move(*devices);
    if (devices_.refused()) {
        return Error(devices_.refusals.front());
    }
    quiesce::RunnerOptions options;
    options.persist = [this](const quiesce::UndoRecord& undo_record) { return attempt_->keep(undo_record); };
    options.on_progress = [this](const quiesce::StepProgress& progress) { tell_unbinding(progress); };
    options.on_store_goes = [this](const std::vector<quiesce::StepOutcome>& done) { let_go_of_store(done); };
    options.release_holders = plan_.options.release_holders;
    options.stop = stop_;
    devices_touched_ = true;
    auto execution = ports_.quiescer.execute(devices_, std::move(options));
    attempt_->set_devices(std::move(execution.record));
    outcomes_ = std::move(execution.outcomes);
    return execution.failure ? Result<void>(*execution.failure) : Result<void>();
}

// The verdicts come when the store has gone: it keeps the plan, and what was done by then.
void HandOver::let_go_of_store(const std::vector<quiesce::StepOutcome>& done) {
    auto so_far = quiesce::planned_report(devices_, attempt_->devices().boot_id);
    so_far.slowest = quiesce::slowest_of(done);
    attempt_->let_go_of_store(std::move(so_far));
}

// To wherever it survives the jump.
void HandOver::report(const quiesce::Verification& verification) {
    const auto report = quiesce::done_report(verification, outcomes_, since(go_), attempt_->devices().boot_id);
    attempt_->report(report);
    ports_.journal.keep(quiesce::PersistentLog::line_of(report));
    if (plan_.options.report_on_command_line) {
        report_on_command_line(verification);
    }
}

Result<void> HandOver::check() {
    auto verification = ports_.quiescer.verify(devices_);
    if (!verification) {
        return verification.error();
    }
    tell(Step::check, checked(*verification));
    report(*verification);
    if (verification->may_jump()) {
        return {};
    }
    std::string names;
    for (const quiesce::Verdict& verdict : verification->verdicts) {
        if (verdict.rest == quiesce::Rest::moving) {
            names += (names.empty() ? "" : ", ") + verdict.name;
        }
    }
    Message moving("handover.moving", {{"devices", names}});
    if (plan_.options.moving == Moving::refuse) {
        return Error(std::move(moving));
    }
    notes_.push_back(moving);
    tell(Step::check, std::move(moving));
    return {};
}

// What does not fit any more is left out: the boot matters more.
void HandOver::report_on_command_line(const quiesce::Verification& verification) {
    const std::string word = report_word(verification, devices_, since(began_));
    if (!images_.append(word)) {
        notes_.emplace_back("handover.no_room_for_report");
    }
}

Result<void> HandOver::load(Step at, const kexec::LoadOrder& what) {
    const auto by = ports_.loader.load(what);
    if (!by) {
        return by.error();
    }
    if (*by == kexec::LoadedBy::program) {
        tell(at, what.devicetree >= 0
                     ? Message("kexec.loaded_with_devicetree")
                     : Message("kexec.loaded_by_program", {{"format", kexec::to_word(what.format)}}));
    }
    return {};
}

Result<void> HandOver::load_for_good() {
    loaded_ = true;  // also after a failure: what was loaded and not confirmed is unloaded
    return load(Step::load, images_.order());
}

// What cannot be armed costs the guard, not the boot.
Result<void> HandOver::arm_watchdog() {
    const auto armed = ports_.watchdog.arm(plan_.options.watchdog);
    Message said = armed ? Message(armed->guards ? "handover.watchdog_armed" : "handover.watchdog_stops",
                                   {{"name", armed->name},
                                    {"identity", armed->identity},
                                    {"seconds", std::int64_t{armed->timeout.count()}}})
                         : armed.error().message();
    ports_.journal.line(said);
    if (!armed || !armed->guards) {
        notes_.push_back(said);
    }
    tell(Step::watchdog, std::move(said));
    return {};
}

Result<void> HandOver::jump() {
    std::string spent;
    for (const StepTime& time : times_) {
        spent += (spent.empty() ? "" : ", ") + std::string(to_word(time.step)) + " " +
                 std::to_string(time.took.count());
    }
    ports_.journal.line(
        Message("handover.jumping", {{"elapsed_ms", std::int64_t{since(began_).count()}}, {"steps", spent}}));
    return ports_.loader.jump();
}

// A device lock is held for good: neither kexec nor a plain restart gets by it. Where the store can remember which
// driver it was, the machine is restarted past it, and the next kernel boots the same option without that step.
void HandOver::restart_past_hang(Outcome& outcome) {
    if (!attempt_->note_failure(outcomes_, plan_.options.on_hang != OnHang::menu)) {
        return;
    }
    const Message why("handover.restarting", {{"reason", outcome.failure->sentence()}});
    tell(Step::undo, why);
    ports_.journal.line(why);
    outcome.notes.push_back(ports_.restarter.restart().message());
    attempt_->give_up_retry();
}

// A kernel that stays loaded would be started by the next reboot through kexec, whatever was meant.
void HandOver::unload(Outcome& outcome) {
    const auto still_loaded = ports_.loader.loaded();
    if (still_loaded && !*still_loaded) {
        return;
    }
    if (auto unloaded = ports_.loader.unload(); !unloaded) {
        outcome.not_back.push_back(unloaded.error().message());
    }
}

void HandOver::give_try_back(Outcome& outcome) {
    const auto& counted = attempt_->counted();
    if (!counted) {
        return;
    }
    if (auto back = ports_.counter.give_back(*counted); !back) {
        outcome.not_back.push_back(back.error().message());
        return;
    }
    Message said("handover.try_given_back", {{"name", counted->file.path()}});
    ports_.journal.line(said);
    tell(Step::undo, std::move(said));
}

// The other way round: the watchdog first, whose time runs; the loaded kernel, for what is bound again could be
// refused beside it by memory; devices (autoprobe and udev before any bind, which the quiescer does); then what
// stands on them, and what was written on them.
void HandOver::undo(Outcome& outcome) {
    const auto keep = [&](std::vector<Message> messages) {
        outcome.not_back.insert(outcome.not_back.end(), messages.begin(), messages.end());
    };
    tell(Step::undo, Message("handover.undoing"));
    ports_.journal.line(Message("handover.undoing_because", {{"reason", outcome.failure->sentence()}}));
    outcome.undone = true;
    if (auto disarmed = ports_.watchdog.disarm(); !disarmed) {
        outcome.notes.push_back(disarmed.error().message());
    }
    if (loaded_) {
        unload(outcome);
    }
    if (devices_touched_) {
        auto report = ports_.quiescer.undo(attempt_->devices());
        keep(std::move(report.not_back));
        outcome.notes.insert(outcome.notes.end(), report.notes.begin(), report.notes.end());
    }
    if (taken_down_) {
        keep(ports_.surroundings.bring_back(attempt_->volumes()));
    }
    give_try_back(outcome);
    if (outcome.not_back.empty()) {  // otherwise the next start of the daemon tries again
        keep(clear_records(ports_, attempt_->entry_once()));
    }
    tell(Step::undo, outcome.not_back.empty() ? Message("handover.undone")
                                              : Message("handover.undone_in_part",
                                                        {{"count", std::uint64_t{outcome.not_back.size()}}}));
}

Result<void> HandOver::announce(const PlannedStep& planned) {
    tell(planned.step, planned.what);
    if (!attempt_) {
        return {};
    }
    ports_.journal.line(planned.what);
    return attempt_->enter(planned.step);
}

Outcome HandOver::run() {
    Outcome outcome;
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
            break;
        }
    }
    outcome.notes = notes_;
    outcome.times = times_;
    if (attempt_) {
        if (outcome.failure) {
            restart_past_hang(outcome);
        }
        outcome.notes.insert(outcome.notes.end(), attempt_->notes().begin(), attempt_->notes().end());
    }
    if (outcome.failure && attempt_) {
        undo(outcome);
    } else if (outcome.failure && loaded_) {
        unload(outcome);
    }
    return outcome;
}

}  // namespace

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
    if (!plan.refusals.empty()) {
        outcome.failure = Error(plan.refusals.front());
        return outcome;
    }
    if (const std::string device = held_device(ports.run_store, ports.root); !device.empty()) {
        outcome.failure = Error("handover.held", {{"device", device}});
        return outcome;
    }
    return HandOver(plan, ports, std::move(stop)).run();
}

}  // namespace stillboot::handover
