// SPDX-License-Identifier: Apache-2.0
// The way back, from wherever a hand-over failed.
#include "kexec/handover/hand_over.hpp"

namespace stillboot::handover {

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

void HandOver::unload_trial(Outcome& outcome) {
    unload(outcome);
    if (outcome.not_back.empty()) {  // otherwise the next start of the daemon tries again
        (void)forget_trial();
    }
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
    const auto counted = attempt_->record().counted;
    keep(give_back(ports_, attempt_->record(), {}, outcome.not_back.empty()));
    if (counted && !attempt_->record().counted) {
        tell(Step::undo, Message("handover.try_given_back", {{"name", counted->file.path()}}));
    }
    tell(Step::undo, outcome.not_back.empty() ? Message("handover.undone")
                                              : Message("handover.undone_in_part",
                                                        {{"count", std::uint64_t{outcome.not_back.size()}}}));
}

}  // namespace stillboot::handover
