// SPDX-License-Identifier: Apache-2.0
// What each step of a hand-over does.
#include "kexec/handover/hand_over.hpp"
#include "kexec/handover/report.hpp"

namespace stillboot::handover {

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

// What is loaded here must not stay so where the daemon is killed in between: the record tells the next one.
Result<void> HandOver::trial_load() {
    const auto noted = Attempt(ports_, plan_.request, images_.command_line(), false).note_trial();
    if (!noted) {
        return noted.error();
    }
    trial_noted_ = *noted;
    kexec::LoadOrder order = images_.order();
    order.trial = true;
    if (auto loaded = load(Step::trial_load, order); !loaded) {
        (void)forget_trial();  // it says no more than that nothing is loaded
        return loaded;
    }
    auto unloaded = ports_.loader.unload();
    loaded_ = !unloaded;
    return unloaded ? forget_trial() : unloaded;
}

Result<void> HandOver::forget_trial() {
    return std::exchange(trial_noted_, false) ? ports_.run_store.clear() : Result<void>();
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

// What cannot be counted is booted all the same, unless its disk hangs, but not by itself while there is something
// else: an entry that panics would be tried for ever where nobody looks.
Result<void> HandOver::take_try(const Try& one) {
    if (auto written = attempt_->will_count(one); !written) {
        return written;
    }
    const auto taken = ports_.counter.take(one);
    if (!taken) {
        attempt_->not_counted();
    }
    // What is stuck there has its file system mounted writable: its disk must not be unbound under it.
    if (!taken && taken.error().code() == "state.entry_hangs") {
        return taken;
    }
    const std::string reason = taken ? std::string() : taken.error().sentence();
    if (!taken && plan_.request.must_record == MustRecord::count) {
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

}  // namespace stillboot::handover
