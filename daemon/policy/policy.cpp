// SPDX-License-Identifier: Apache-2.0
// The automatic boot, step by step.
#include "daemon/policy/policy.hpp"

#include <algorithm>

namespace stillboot::policy {
namespace {

Actions changed() {
    Actions actions;
    actions.changed = true;
    return actions;
}

// For a person to stop what would be tried again, where the settings let nothing boot by itself.
constexpr std::chrono::seconds retry_timeout{10};

}  // namespace

Policy::Policy(std::optional<std::chrono::seconds> timeout)
    : timeout_(timeout),
      clockwork_(timeout ? Clockwork::running : Clockwork::off),
      why_("daemon.why_discovering") {}

const Candidate* Policy::next_candidate() const {
    const auto found = std::find_if(candidates_.begin(), candidates_.end(),
                                    [&](const Candidate& each) { return !tried_.contains(each.option); });
    return found == candidates_.end() ? nullptr : &*found;
}

bool Policy::is_present(const Candidate& candidate) const {
    return std::any_of(candidates_.begin(), candidates_.end(),
                       [&](const Candidate& each) { return each.option == candidate.option; });
}

Actions Policy::rest(Message why) {
    phase_ = settled_ ? Phase::idle : Phase::discovering;
    target_.reset();
    better_.reset();
    ends_at_.reset();
    why_ = std::move(why);
    return changed();
}

// Where nothing holds the clock: what to do next by itself.
Actions Policy::start_countdown(Instant now) {
    if (retry_ && clockwork_ != Clockwork::stopped) {
        return count_down(now, *retry_, timeout_.value_or(retry_timeout),
                          Message("daemon.why_retry", {{"title", retry_->title}}));
    }
    if (clockwork_ == Clockwork::off) {
        return rest(Message("daemon.why_never"));
    }
    if (clockwork_ == Clockwork::stopped) {
        return rest(Message("daemon.why_stopped"));
    }
    const Candidate* next = next_candidate();
    if (next == nullptr) {
        return rest(Message(candidates_.empty() ? "daemon.why_nothing" : "daemon.why_all_tried"));
    }
    const std::string_view code = last_failure_ ? "daemon.why_next" : "daemon.why_default";
    return count_down(now, *next, *timeout_,
                      Message(complete_ ? code : "daemon.why_unsettled", {{"title", next->title}}));
}

Actions Policy::count_down(Instant now, const Candidate& what, std::chrono::seconds time, Message why) {
    if (time == std::chrono::seconds(0)) {
        return boot(what, Chosen::by_clock);
    }
    phase_ = Phase::countdown;
    target_ = what;
    better_.reset();
    ends_at_ = now + time;
    why_ = std::move(why);
    return changed();
}

Actions Policy::boot(const Candidate& what, Chosen by) {
    phase_ = Phase::handover;
    chosen_ = by;
    cancelling_ = false;
    tried_.insert(what.option);
    target_ = what;
    better_.reset();
    ends_at_.reset();
    why_ = Message(by == Chosen::by_clock ? "daemon.why_time_over" : "daemon.why_chosen", {{"title", what.title}});
    retry_.reset();  // the last, since it may be what is booted
    Actions actions = changed();
    actions.boot = what.option;
    return actions;
}

Actions Policy::on_settled(Instant now, bool complete) {
    if (settled_) {
        return {};
    }
    settled_ = true;
    complete_ = complete;
    return phase_ == Phase::handover ? changed() : start_countdown(now);
}

Actions Policy::on_retry(Candidate what) {
    retry_ = std::move(what);
    return {};
}

void Policy::look_for_better() {
    const Candidate* first = next_candidate();
    better_.reset();
    if (first != nullptr && first->option != target_->option) {
        better_ = *first;
    }
}

Actions Policy::on_candidates(Instant now, std::vector<Candidate> candidates) {
    candidates_ = std::move(candidates);
    if (phase_ == Phase::idle && clockwork_ == Clockwork::running) {
        return start_countdown(now);
    }
    if (phase_ != Phase::countdown) {
        return {};
    }
    if (retry_) {
        return {};  // whether it is still there shows when it is started
    }
    if (!is_present(*target_)) {
        return start_countdown(now);
    }
    const auto before = better_;
    look_for_better();
    return before == better_ ? Actions() : changed();
}

Actions Policy::on_time(Instant now) {
    if (phase_ != Phase::countdown || now < *ends_at_) {
        return {};
    }
    const Candidate target = *target_;
    return boot(target, Chosen::by_clock);
}

Actions Policy::on_cancel(Instant) {
    if (clockwork_ == Clockwork::running) {
        clockwork_ = Clockwork::stopped;
    }
    if (phase_ == Phase::handover) {
        cancelling_ = true;
        Actions actions;
        actions.cancel_boot = true;
        return actions;
    }
    return rest(Message(clockwork_ == Clockwork::off ? "daemon.why_never" : "daemon.why_stopped"));
}

Actions Policy::on_boot(Instant, const Candidate& chosen) {
    if (clockwork_ == Clockwork::running) {
        clockwork_ = Clockwork::stopped;
    }
    return boot(chosen, Chosen::by_client);
}

Actions Policy::on_boot_failed(Instant now, const Message& reason) {
    last_failure_ = reason;
    phase_ = settled_ ? Phase::idle : Phase::discovering;
    if (cancelling_) {
        return rest(Message("daemon.why_stopped"));
    }
    if (chosen_ == Chosen::by_client) {
        return rest(Message("daemon.why_chosen_failed", {{"title", target_->title}}));
    }
    return start_countdown(now);
}

Actions Policy::on_recovering() {
    why_ = Message("daemon.why_recovering");
    return changed();
}

Actions Policy::on_recovered(const std::string& option, const std::optional<Message>& reason) {
    tried_.insert(option);
    last_failure_ = reason;
    why_ = Message(clockwork_ == Clockwork::stopped ? "daemon.why_stopped" : "daemon.why_discovering");
    return changed();
}

std::optional<std::chrono::milliseconds> Policy::remaining(Instant now) const {
    if (!ends_at_) {
        return std::nullopt;
    }
    return std::max(std::chrono::milliseconds(0), std::chrono::ceil<std::chrono::milliseconds>(*ends_at_ - now));
}

}  // namespace stillboot::policy
