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

/// One place in the order of precedence: who says what boots, and what that names now.
struct Claim {
    Message by;                    ///< "the default of the first device", completing "TITLE is …"
    std::chrono::seconds wait{0};  ///< how long later claims wait for it, from when discovery has settled
    std::vector<Candidate> names;  ///< in the fixed order
    bool last_resort = false;      ///< no try is left of it
    bool for_once = false;         ///< somebody's choice for this start, used up by being tried
};

/// What a claim would boot, if none stood before it.
struct Beaten {
    Message by;
    Candidate what;
    bool operator==(const Beaten&) const = default;
};

/// Boots that need nobody: whatever fails, there is a next thing to do.
struct Strict {
    Instant ends_at;  ///< no further boot is begun after it
    unsigned retries =
        3;  ///< rounds over all candidates after the first, with a longer and longer pause before each

    bool operator==(const Strict&) const = default;
};

enum class Phase { discovering, idle, waiting, countdown, handover };

/// Who wanted the boot that is under way.
enum class Chosen { by_clock, by_client };

/// What a caller of `step` must do, in this order.
struct Actions {
    std::optional<std::string> boot;  ///< start the hand-over of this option
    bool cancel_boot = false;         ///< stop the hand-over that is under way
    bool ended = false;               ///< strict mode has nothing left to try: do the final action
    bool changed = false;             ///< clients see a new state
};

/// The one state of the automatic boot. Every function is an event at a moment `now`, and returns what to do.
/// When `wake_at` has come, `on_time` is to be called.
///
/// Claims stand in the order of precedence, and each names candidates. The countdown starts once discovery has
/// settled (or its bounded wait is over) and there is a candidate; it is for the first candidate of the first
/// claim that names one; a claim that names none yet may be waited for. A better one that comes later is
/// announced, not taken. A boot that fails is followed by the next candidate, each once; a boot that a client
/// chose is not. In strict mode there are further rounds, a boot that a client chose is followed too, and it all
/// ends in a final action.
class Policy {
public:
    /// @param timeout of the countdown, zero for at once; empty where nothing boots by itself, which in strict
    /// mode counts as zero
    explicit Policy(std::optional<std::chrono::seconds> timeout, std::optional<Strict> strict = {});

    /// Discovery has settled, at first or after a boot that failed; `complete` is false where the bounded wait
    /// ended it.
    Actions on_settled(Instant now, bool complete);
    /// An earlier kernel was restarted so that this one boots it: it comes before every candidate, also where
    /// nothing else boots by itself, and a person can still stop it. Before on_settled().
    Actions on_retry(Candidate what);
    /// A script runs from now on, for which the clock waits, `until` then at most. Before on_settled().
    Actions on_script_begun(Instant until, Message why);
    /// It has ended, whatever it did.
    Actions on_script_ended(Instant now);
    /// The claims in the order of precedence, whenever what they name has changed.
    Actions on_claims(Instant now, std::vector<Claim> claims);
    /// The same where somebody has just chosen what boots: that is taken, and a countdown begins anew for it,
    /// unless it is what was counted down for.
    Actions on_choice(Instant now, std::vector<Claim> claims);
    Actions on_time(Instant now);
    /// The settings of the clock have changed. A countdown begins anew with its new time, or stops; a clock that
    /// stands once discovery has settled, by the setting or by a person, is for the next start to wind up, and so
    /// is strict mode where nothing is left to boot: nobody who looks through the settings boots a machine by
    /// that.
    Actions on_settings(Instant now, std::optional<std::chrono::seconds> timeout, std::optional<Strict> strict);
    /// A key, or `cancel`: ends the countdown, and any that would start later; or stops the hand-over. It ends
    /// strict mode, too: the caller refuses it before where it comes from a console.
    Actions on_cancel(Instant now);
    /// A client's choice: ends the countdown. The caller refuses it before while `phase()` is handover.
    Actions on_boot(Instant now, const Candidate& chosen);
    /// The hand-over has failed and all is back as it was. @param settles_again  on_settled() comes once devices
    /// that had gone were looked at: which of them is back first must not decide what boots
    Actions on_boot_failed(Instant now, const Message& reason, bool settles_again = false);

    /// A hand-over that another daemon began was cut off and is being undone: before anything else.
    Actions on_recovering();
    /// It is undone. The reason is shown, and the option, where it is known, is not tried again by itself.
    Actions on_recovered(const std::string& option, const std::optional<Message>& reason);
    /// The machine went down on the way to this option again and again: the clock stops. In strict mode what else
    /// there is comes before it instead. Before on_settled(); a boot that a client asked for goes on.
    Actions on_deaths(Instant now, const std::string& option);

    [[nodiscard]] Phase phase() const { return phase_; }
    /// What would boot, or boots now.
    [[nodiscard]] const std::optional<Candidate>& target() const { return target_; }
    [[nodiscard]] const Message& why() const { return why_; }
    [[nodiscard]] const std::optional<Message>& last_failure() const { return last_failure_; }
    [[nodiscard]] const std::optional<Candidate>& better() const { return better_; }
    /// What stands first in the order of precedence, whatever was tried.
    [[nodiscard]] const Candidate* first() const;
    /// Who says so; none where a client chose it, or an earlier kernel wants it booted again.
    [[nodiscard]] const std::optional<Message>& by() const { return by_; }
    /// The claims behind that of the target, with what they name.
    [[nodiscard]] std::vector<Beaten> beaten() const;
    /// Whether something else may boot by itself that was not tried since the start, and is no last resort.
    [[nodiscard]] bool has_other() const;
    /// Whether the target was chosen for this once.
    [[nodiscard]] bool chosen_for_once() const;
    /// Whether anything may boot by itself, now or when it comes.
    [[nodiscard]] bool clock_runs() const {
        return clockwork_ == Clockwork::running || (clockwork_ == Clockwork::off && retry_);
    }
    [[nodiscard]] bool strict() const { return strict_.has_value(); }
    [[nodiscard]] std::optional<Instant> wake_at() const;
    [[nodiscard]] std::optional<std::chrono::milliseconds> remaining(Instant now) const;

private:
    enum class Clockwork { running, stopped, off };  // stopped: by a person; off: by the setting

    Actions decide(Instant now);
    Actions decide_among_claims(Instant now);
    Actions wait_for(const Claim& claim);
    Actions wait_for_script();
    Actions wait_until(Instant until, Message why);
    Actions out_of_candidates(Instant now);
    Actions finish(Message why);
    Actions count_down(Instant now, const Candidate& what, std::chrono::seconds time, Message why);
    Actions boot(const Candidate& what, Chosen by);
    Actions rest(Message why);
    [[nodiscard]] const Candidate* untried(const Claim& claim) const;
    [[nodiscard]] bool is_awaited(const Claim& claim, Instant now) const;
    [[nodiscard]] const Claim* leading(Instant now) const;  // it is waited for, or names what was not tried
    [[nodiscard]] bool is_named_by(const Claim& claim) const;
    [[nodiscard]] bool leads(Instant now) const;
    [[nodiscard]] Message why_it_stands() const;
    Actions see(Instant now, std::vector<Claim> claims, bool chosen);
    void look_for_better();

    std::optional<std::chrono::seconds> timeout_;
    std::optional<Strict> strict_;
    Clockwork clockwork_;
    bool settled_ = false;
    bool complete_ = true;
    Phase phase_ = Phase::discovering;
    Chosen chosen_ = Chosen::by_clock;
    bool cancelling_ = false;
    Instant settled_at_{};
    unsigned round_ = 0;        // of strict mode: how often all were tried again
    bool backing_off_ = false;  // before the next round
    std::optional<Candidate> target_;
    std::optional<Candidate> better_;
    std::optional<Candidate> retry_;
    struct Script {
        Instant until;
        Message why;
    };
    std::optional<Script> script_;
    std::optional<Instant> ends_at_;
    std::optional<Message> by_;
    std::vector<Claim> claims_;
    std::set<std::string> tried_;
    std::set<std::string> ever_tried_;  // the same over all rounds
    Message why_;
    std::optional<Message> last_failure_;
};

}  // namespace stillboot::policy
