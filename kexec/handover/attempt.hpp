// SPDX-License-Identifier: Apache-2.0
// What is remembered of the hand-over under way: in /run for a daemon started again, in the state store for the
// next kernel.
#pragma once

#include <vector>

#include "kexec/handover/ports.hpp"
#include "kexec/handover/state.hpp"
#include "quiesce/jump_report.hpp"
#include "quiesce/step_runner.hpp"

namespace stillboot::handover {

/// From the commit on. A record in /run that cannot be written stops the hand-over; a state store that fails costs
/// the memory alone, and is not asked again. Lifetime: borrows the ports.
class Attempt {
public:
    /// @param watchdog whether one is armed before the jump
    Attempt(const Ports& ports, const Request& request, std::string command_line, bool watchdog);

    /// Before the commit, a record in /run that names nothing but the trial load. @return whether it was written:
    /// one that is there, of a hand-over that was undone in part, stays. @error those of the run store
    [[nodiscard]] Result<bool> note_trial() const;
    /// Settles what the store holds of an earlier kernel, and writes the first record. @error those of the run
    /// store, and handover.cannot_use_up
    Result<void> commit();
    /// Before each step. @error those of the run store
    Result<void> enter(Step step);
    /// Before a try is taken off an entry's name. @error those of the run store
    Result<void> will_count(const Try& one);
    /// It could not be taken.
    void not_counted() { record_.counted.reset(); }
    /// Before volumes are closed. @error those of the run store
    Result<void> will_close(std::vector<Volume> volumes);
    /// As it is written down, for the undo.
    [[nodiscard]] Record& record() { return record_; }
    [[nodiscard]] const std::vector<Volume>& volumes() const { return record_.volumes; }
    /// Before each batch of unbinds. @error those of the run store
    Result<void> keep(const quiesce::UndoRecord& devices);
    /// What the next system may read in the store: written now, or not at all where the store
    /// has gone.
    void report(quiesce::JumpReport report);
    /// The state store's own devices are about to go: it is told that, with what was done by then, and let go of.
    void let_go_of_store(quiesce::JumpReport so_far);

    /// The devices as the unbinding left them, for the undo; before them those that an earlier one did not get
    /// back.
    void set_devices(quiesce::UndoRecord devices);
    [[nodiscard]] const quiesce::UndoRecord& devices() const { return record_.devices; }

    /// Learns which drivers hung or died. @return whether the machine is to be restarted to try again: the store
    /// has noted so, where `wanted` and the number of attempts allow it
    [[nodiscard]] bool note_failure(const std::vector<quiesce::StepOutcome>& outcomes, bool wanted);
    /// The restart did not happen.
    void give_up_retry();

    /// What there is to say of the store and of the time before this kernel.
    [[nodiscard]] const std::vector<Message>& notes() const { return notes_; }

private:
    [[nodiscard]] bool remembers() const;
    Result<void> write();
    void use_up_one_shot();
    Result<void> use_up_entry();
    void remember();
    void store_failed(const Error& error);

    const Ports& ports_;
    PastAttempt begun_;
    MustRecord must_record_;
    std::optional<std::string> entry_once_;  ///< what the firmware is asked for now
    bool is_owed_for_ = false;               ///< an earlier one of this boot left a record, which names these
    std::vector<quiesce::RecordedDevice> still_unbound_;
    Record record_;
    State state_;
    std::optional<Error> store_failure_;  ///< it is not asked again
    std::vector<Message> notes_;
};

}  // namespace stillboot::handover
