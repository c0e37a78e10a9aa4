// SPDX-License-Identifier: Apache-2.0
// The automatic boot, step by step.
#include "daemon/policy/policy.hpp"

#include <algorithm>

#include "config/base/planted_defect.hpp"

namespace stillboot::policy {
namespace {

Actions changed() {
    Actions actions;
    actions.changed = true;
    return actions;
}

// For a person to stop what would be tried again, where the settings let nothing boot by itself.
constexpr std::chrono::seconds retry_timeout{10};

// Before the first further round of strict mode; twice as long before each next one.
constexpr std::chrono::seconds first_pause{10};
constexpr std::chrono::seconds longest_pause{320};

std::chrono::seconds pause_before(unsigned round) {
    constexpr unsigned doublings = 5;
    return round >= doublings ? longest_pause : first_pause * (1U << round);
}

}  // namespace

Policy::Policy(std::optional<std::chrono::seconds> timeout, std::optional<Strict> strict)
    : timeout_(strict ? timeout.value_or(std::chrono::seconds(0)) : timeout),
      strict_(strict),
      clockwork_(timeout_ ? Clockwork::running : Clockwork::off),
      why_("daemon.why_discovering") {}

const Candidate* Policy::untried(const Claim& claim) const {
    const auto found = std::find_if(claim.names.begin(), claim.names.end(),
                                    [&](const Candidate& each) { return !tried_.contains(each.option); });
    return found == claim.names.end() ? nullptr : &*found;
}

bool Policy::has_other() const {
    return std::any_of(claims_.begin(), claims_.end(), [&](const Claim& claim) {
        return !claim.last_resort &&
               std::any_of(claim.names.begin(), claim.names.end(),
                           [&](const Candidate& each) { return !ever_tried_.contains(each.option); });
    });
}

const Candidate* Policy::first() const {
    const auto found =
        std::find_if(claims_.begin(), claims_.end(), [](const Claim& claim) { return !claim.names.empty(); });
    return found == claims_.end() ? nullptr : &found->names.front();
}

bool Policy::chosen_for_once() const {
    return target_ && std::any_of(claims_.begin(), claims_.end(),
                                  [&](const Claim& claim) { return claim.for_once && is_named_by(claim); });
}

bool Policy::is_awaited(const Claim& claim, Instant now) const {
    return claim.names.empty() && now < settled_at_ + claim.wait;
}

const Claim* Policy::leading(Instant now) const {
    const auto found = std::find_if(claims_.begin(), claims_.end(), [&](const Claim& claim) {
        return is_awaited(claim, now) || untried(claim) != nullptr;
    });
    return found == claims_.end() ? nullptr : &*found;
}

bool Policy::is_named_by(const Claim& claim) const {
    return claim.by == by_ && std::any_of(claim.names.begin(), claim.names.end(),
                                          [&](const Candidate& each) { return each.option == target_->option; });
}

bool Policy::leads(Instant now) const {
    const Claim* const claim = leading(now);
    return claim != nullptr && is_named_by(*claim) && untried(*claim)->option == target_->option;
}

Actions Policy::rest(Message why) {
    phase_ = settled_ ? Phase::idle : Phase::discovering;
    target_.reset();
    by_.reset();
    better_.reset();
    ends_at_.reset();
    backing_off_ = false;
    why_ = std::move(why);
    return changed();
}

// Where nothing holds the clock: what to do next by itself.
Actions Policy::decide(Instant now) {
    if (strict_ && now >= strict_->ends_at) {
        return finish(Message("daemon.why_limit"));
    }
    if (script_ && clock_runs()) {
        return wait_for_script();
    }
    if (retry_) {
        by_.reset();
        return count_down(now, *retry_, timeout_.value_or(retry_timeout),
                          Message("daemon.why_retry", {{"title", retry_->title}}));
    }
    return clockwork_ == Clockwork::off ? rest(Message("daemon.why_never")) : decide_among_claims(now);
}

Actions Policy::decide_among_claims(Instant now) {
    const Claim* const claim = leading(now);
    if (claim == nullptr) {
        return out_of_candidates(now);
    }
    if (is_awaited(*claim, now)) {
        return wait_for(*claim);
    }
    by_ = claim->by;
    const Candidate target = *untried(*claim);
    Message why =
        !complete_      ? Message("daemon.why_unsettled", {{"title", target.title}, {"by", claim->by.sentence()}})
        : last_failure_ ? Message("daemon.why_next", {{"title", target.title}})
                        : Message("daemon.why_default", {{"title", target.title}, {"by", claim->by.sentence()}});
    return count_down(now, target, *timeout_, std::move(why));
}

Actions Policy::wait_for(const Claim& claim) {
    return wait_until(settled_at_ + claim.wait, Message("daemon.why_waiting", {{"by", claim.by.sentence()}}));
}

Actions Policy::wait_for_script() {
    return wait_until(script_->until, script_->why);
}

Actions Policy::wait_until(Instant until, Message why) {
    if (phase_ == Phase::waiting && !backing_off_ && ends_at_ == until && why_ == why) {
        return {};
    }
    rest(std::move(why));
    phase_ = Phase::waiting;
    ends_at_ = until;
    return changed();
}

Actions Policy::out_of_candidates(Instant now) {
    const bool none =
        std::all_of(claims_.begin(), claims_.end(), [](const Claim& claim) { return claim.names.empty(); });
    Message why(none ? "daemon.why_nothing" : "daemon.why_all_tried");
    if (!strict_) {
        return rest(std::move(why));
    }
    if (backing_off_) {
        return {};
    }
    if (round_ >= strict_->retries) {  // the setting may have come down since
        return finish(std::move(why));
    }
    rest(Message("daemon.why_backing_off", {{"round", round_ + 1}, {"rounds", strict_->retries}}));
    phase_ = Phase::waiting;
    ends_at_ = now + pause_before(round_);
    backing_off_ = true;
    return changed();
}

// The clock stands still from here on: what comes after is the final action's, or a person's.
Actions Policy::finish(Message why) {
    strict_.reset();
    retry_.reset();
    clockwork_ = Clockwork::stopped;
    Actions actions = rest(std::move(why));
    actions.ended = true;
    return actions;
}

Actions Policy::count_down(Instant now, const Candidate& what, std::chrono::seconds time, Message why) {
    if (time == std::chrono::seconds(0)) {
        return boot(what, Chosen::by_clock);
    }
    phase_ = Phase::countdown;
    backing_off_ = false;
    target_ = what;
    better_.reset();
    ends_at_ = now + time;
    why_ = std::move(why);
    return changed();
}

Actions Policy::boot(const Candidate& what, Chosen by) {
    phase_ = Phase::handover;
    backing_off_ = false;
    chosen_ = by;
    cancelling_ = false;
    tried_.insert(what.option);
    ever_tried_.insert(what.option);
    target_ = what;
    better_.reset();
    ends_at_.reset();
    why_ = Message(by == Chosen::by_clock ? "daemon.why_time_over" : "daemon.why_chosen", {{"title", what.title}});
    Actions actions = changed();
    actions.boot = what.option;
    retry_.reset();  // the last, since it may be what is booted
    return actions;
}

Actions Policy::on_settled(Instant now, bool complete) {
    if (settled_) {
        return {};
    }
    settled_ = true;
    settled_at_ = now;
    complete_ = complete;
    if (phase_ == Phase::handover) {
        return changed();
    }
    return clockwork_ == Clockwork::stopped ? rest(why_) : decide(now);
}

Actions Policy::on_retry(Candidate what) {
    retry_ = std::move(what);
    return {};
}

Actions Policy::on_script_begun(Instant until, Message why) {
    script_ = Script{until, std::move(why)};
    return {};
}

Actions Policy::on_script_ended(Instant now) {
    const bool waits = script_ && phase_ == Phase::waiting;
    script_.reset();
    return waits ? decide(now) : Actions();
}

void Policy::look_for_better() {
    better_.reset();
    for (const Claim& claim : claims_) {
        if (const Candidate* const first = untried(claim)) {
            if (first->option != target_->option) {
                better_ = *first;
            }
            return;
        }
    }
}

std::vector<Beaten> Policy::beaten() const {
    std::vector<Beaten> out;
    const auto winner = std::find_if(claims_.begin(), claims_.end(),
                                     [&](const Claim& claim) { return target_ && by_ == claim.by; });
    for (auto claim = winner; claim != claims_.end(); ++claim) {
        if (claim != winner && !claim->names.empty() && claim->names.front() != *target_) {
            out.push_back({claim->by, claim->names.front()});
        }
    }
    return out;
}

// Whether what is tried again is still there shows when it is started.
Actions Policy::see(Instant now, std::vector<Claim> claims, bool chosen) {
    const auto beaten_before = beaten();
    claims_ = std::move(claims);
    const bool counting = phase_ == Phase::countdown && !retry_;
    const bool may_start = phase_ == Phase::waiting || (phase_ == Phase::idle && clockwork_ == Clockwork::running);
    const bool holds =
        counting && (chosen ? leads(now) : std::any_of(claims_.begin(), claims_.end(), [&](const Claim& each) {
            return is_named_by(each);
        }));
    if (may_start || (counting && !holds)) {
        return decide(now);
    }
    const auto better_before = better_;
    if (counting) {
        look_for_better();
    }
    return better_before == better_ && beaten_before == beaten() ? Actions() : changed();
}

Actions Policy::on_claims(Instant now, std::vector<Claim> claims) {
    return see(now, std::move(claims), false);
}

Actions Policy::on_choice(Instant now, std::vector<Claim> claims) {
    return see(now, std::move(claims), true);
}

Actions Policy::on_time(Instant now) {
    if (phase_ == Phase::handover) {
        return {};
    }
    if (strict_ && now >= strict_->ends_at) {
        return decide(now);
    }
    if (!ends_at_ || now < *ends_at_) {
        return {};
    }
    if (phase_ == Phase::countdown) {
        const Candidate target = *target_;
        return boot(target, Chosen::by_clock);
    }
    if (backing_off_) {
        ++round_;
        tried_.clear();
        backing_off_ = false;
    }
    if (script_ && now >= script_->until) {
        script_.reset();
    }
    return decide(now);
}

Actions Policy::on_settings(Instant now, std::optional<std::chrono::seconds> timeout,
                            std::optional<Strict> strict) {
    const auto clock = strict ? timeout.value_or(std::chrono::seconds(0)) : timeout;
    const bool stands =
        (clockwork_ == Clockwork::stopped && !planted_defect) || (settled_ && clockwork_ == Clockwork::off);
    if (stands || (clock == timeout_ && strict == strict_)) {
        return {};
    }
    if (strict && !strict_ && settled_ && phase_ == Phase::idle) {
        return on_settings(now, timeout, std::nullopt);
    }
    timeout_ = clock;
    strict_ = strict;
    clockwork_ = timeout_ ? Clockwork::running : Clockwork::off;
    Actions actions = settled_ && phase_ != Phase::handover ? decide(now) : Actions();
    actions.changed = true;  // clients see whether it is strict
    return actions;
}

Message Policy::why_it_stands() const {
    return Message(timeout_ ? "daemon.why_stopped" : "daemon.why_never");
}

Actions Policy::on_cancel(Instant) {
    clockwork_ = Clockwork::stopped;
    retry_.reset();
    const bool was_strict = strict_.has_value();
    strict_.reset();
    if (phase_ == Phase::handover) {
        cancelling_ = true;
        Actions actions;
        actions.cancel_boot = true;
        actions.changed = was_strict;
        return actions;
    }
    return rest(why_it_stands());
}

Actions Policy::on_boot(Instant, const Candidate& chosen) {
    by_.reset();
    return boot(chosen, Chosen::by_client);
}

Actions Policy::on_boot_failed(Instant now, const Message& reason, bool settles_again) {
    last_failure_ = reason;
    settled_ = settled_ && !settles_again;
    phase_ = settled_ ? Phase::idle : Phase::discovering;
    if (cancelling_) {
        return rest(Message("daemon.why_stopped"));
    }
    if (chosen_ == Chosen::by_client && !strict_) {
        clockwork_ = Clockwork::stopped;
        return rest(Message("daemon.why_chosen_failed", {{"title", target_->title}}));
    }
    return settled_ ? decide(now)
                    : rest(Message(settles_again ? "daemon.why_looking_again" : "daemon.why_discovering"));
}

std::optional<Instant> Policy::wake_at() const {
    if (!strict_ || phase_ == Phase::handover) {
        return ends_at_;
    }
    return ends_at_ ? std::min(*ends_at_, strict_->ends_at) : strict_->ends_at;
}

Actions Policy::on_recovering() {
    why_ = Message("daemon.why_recovering");
    return changed();
}

Actions Policy::on_recovered(const std::string& option, const std::optional<Message>& reason) {
    tried_.insert(option);
    ever_tried_.insert(option);
    last_failure_ = reason;
    why_ = clockwork_ == Clockwork::stopped ? why_it_stands() : Message("daemon.why_discovering");
    return changed();
}

Actions Policy::on_deaths(Instant now, const std::string& option) {
    if (!strict_) {
        return phase_ == Phase::handover ? Actions()
                                         : on_cancel(now);  // a client's boot, after which the clock stops
    }
    tried_.insert(option);
    ever_tried_.insert(option);
    return {};
}

std::optional<std::chrono::milliseconds> Policy::remaining(Instant now) const {
    if (!ends_at_) {
        return std::nullopt;
    }
    return std::max(std::chrono::milliseconds(0), std::chrono::ceil<std::chrono::milliseconds>(*ends_at_ - now));
}

}  // namespace stillboot::policy
