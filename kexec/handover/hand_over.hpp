// SPDX-License-Identifier: Apache-2.0
// One hand-over under way: what executor.cpp, steps.cpp and way_back.cpp share.
#pragma once

#include <optional>
#include <vector>

#include "kexec/handover/attempt.hpp"
#include "kexec/handover/executor.hpp"
#include "kexec/handover/images.hpp"

namespace stillboot::handover {

/// Gives back what an attempt had used up, as far as the record names it, and takes that off the record. The
/// record goes from /run last, and where all of it was given back alone.
/// @param ended  how the attempt did, where that is known here
/// @param all_back  nothing else is missing for which the record has to stay
/// @return what could not be given back, or cleared
[[nodiscard]] std::vector<Message> give_back(const Ports& ports, Record& record,
                                             const std::optional<PastAttempt>& ended, bool all_back);

/// The same as recover(), for who holds the lock. @param is_cut_off  how its attempt did is not in the list yet
[[nodiscard]] Result<std::optional<Recovery>> put_back(const Ports& ports, bool is_cut_off,
                                                       const FindStore& find_store = {});

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
    void run_steps(Outcome& outcome);
    Result<void> announce(const PlannedStep& planned);
    Result<void> step(Step which);
    Result<void> run_hooks(HookPoint point);
    Result<void> unwrap();
    Result<void> trial_load();
    Result<void> forget_trial();
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
    void unload_trial(Outcome& outcome);
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
    bool trial_noted_ = false;  ///< there is a record of the trial alone
};

}  // namespace stillboot::handover
