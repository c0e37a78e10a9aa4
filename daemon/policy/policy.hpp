// SPDX-License-Identifier: Apache-2.0
// What boots by itself, when and why: a state machine without I/O.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/base/clock.hpp"
#include "config/base/message.hpp"

namespace stillboot::policy {

using Instant = Clock::Instant;

/// An option that may boot by itself: the default of a device.
struct Candidate {
    Candidate() = default;
    Candidate(std::string id, std::string words) : option(std::move(id)), title(std::move(words)) {}
    std::string option;
    std::string title;
    bool operator==(const Candidate&) const = default;
};

enum class Phase { discovering, idle, countdown, handover };

/// Who wanted the boot that is under way.
enum class Chosen { by_clock, by_client };

/// What a caller of `step` must do, in this order.
struct Actions {
    std::optional<std::string> boot;  ///< start the hand-over of this option
    bool cancel_boot = false;         ///< stop the hand-over that is under way
    bool changed = false;             ///< clients see a new state
};

/// The one state of the automatic boot. Every function is an event at a moment `now`, and returns what to do.
/// When `wake_at` has come, `on_time` is to be called.
///
/// The countdown starts once discovery has settled (or its bounded wait is over) and there is a candidate; it is
/// for the first candidate of the fixed order then. A better one that comes later is announced, not taken. A boot
/// that fails is followed by the next candidate, each once; a boot that a client chose is not.
class Policy {
public:
    /// @param timeout of the countdown, zero for at once; empty where nothing boots by itself
    explicit Policy(std::optional<std::chrono::seconds> timeout);

    /// Discovery has settled; `complete` is false where the bounded wait ended it.
    Actions on_settled(Instant now, bool complete);
    /// An earlier kernel was restarted so that this one boots it: it comes before every candidate, also where
    /// nothing else boots by itself, and a person can still stop it. Before on_settled().
    Actions on_retry(Candidate what);
    /// The candidates in the fixed order, whenever they have changed.
    Actions on_candidates(Instant now, std::vector<Candidate> candidates);
    Actions on_time(Instant now);
    /// A key, or `cancel`: ends the countdown, and any that would start later; or stops the hand-over.
    Actions on_cancel(Instant now);
    /// A client's choice: ends the countdown. The caller refuses it before while `phase()` is handover.
    Actions on_boot(Instant now, const Candidate& chosen);
    /// The hand-over has failed and all is back as it was.
    Actions on_boot_failed(Instant now, const Message& reason);

    /// A hand-over that another daemon began was cut off and is being undone: before anything else.
    Actions on_recovering();
    /// It is undone. The reason is shown, and the option, where it is known, is not tried again by itself.
    Actions on_recovered(const std::string& option, const std::optional<Message>& reason);

    [[nodiscard]] Phase phase() const { return phase_; }
    /// What would boot, or boots now.
    [[nodiscard]] const std::optional<Candidate>& target() const { return target_; }
    [[nodiscard]] const Message& why() const { return why_; }
    [[nodiscard]] const std::optional<Message>& last_failure() const { return last_failure_; }
    [[nodiscard]] const std::optional<Candidate>& better() const { return better_; }
    [[nodiscard]] std::optional<Instant> wake_at() const { return ends_at_; }
    [[nodiscard]] std::optional<std::chrono::milliseconds> remaining(Instant now) const;

private:
    enum class Clockwork { running, stopped, off };  // stopped: by a person; off: by the setting

    Actions start_countdown(Instant now);
    Actions count_down(Instant now, const Candidate& what, std::chrono::seconds time, Message why);
    Actions boot(const Candidate& what, Chosen by);
    Actions rest(Message why);
    [[nodiscard]] const Candidate* next_candidate() const;
    [[nodiscard]] bool is_present(const Candidate& candidate) const;
    void look_for_better();

    std::optional<std::chrono::seconds> timeout_;
    Clockwork clockwork_;
    bool settled_ = false;
    bool complete_ = true;
    Phase phase_ = Phase::discovering;
    Chosen chosen_ = Chosen::by_clock;
    bool cancelling_ = false;
    std::optional<Candidate> target_;
    std::optional<Candidate> better_;
    std::optional<Candidate> retry_;
    std::optional<Instant> ends_at_;
    std::vector<Candidate> candidates_;
    std::set<std::string> tried_;
    Message why_;
    std::optional<Message> last_failure_;
};

}  // namespace stillboot::policy
