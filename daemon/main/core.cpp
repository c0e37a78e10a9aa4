// SPDX-License-Identifier: Apache-2.0
// State, events and the hand-over, as clients see them.
#include "daemon/main/core.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>

#include "daemon/handover/progress.hpp"
#include "daemon/main/frame.hpp"
#include "daemon/protocol/failure.hpp"
#include "daemon/protocol/json.hpp"

namespace stillboot {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t max_for_store = 32;

}  // namespace

protocol::LogLine log_line_of(const LogEntry& entry) {
    protocol::LogLine line;
    line.seq = entry.seq;
    line.time_ms = entry.time_ms;
    line.severity = static_cast<protocol::LogSeverity>(entry.level);
    line.text = entry.text;
    line.code = entry.code;
    line.parameters.list = entry.params;
    return line;
}

Core::Core(const boost::asio::any_io_executor& executor, registry::Registry& registry, policy::Policy& policy,
           handover::Booter& booter, Log& log, CoreHooks hooks, SettingsKeeper& settings, StageTimes& times)
    : registry_(registry),
      policy_(policy),
      booter_(booter),
      log_(log),
      hooks_(std::move(hooks)),
      settings_(settings),
      times_(times),
      timer_(executor),
      session_(new_session()) {
    log_.listen([this](const LogEntry& entry) {
        if (!log_watchers_.empty()) {
            protocol::GetLog::Reply reply;
            reply.lines.push_back(log_line_of(entry));
            send_all(log_watchers_, frame_of(reply, true));
        }
    });
}

protocol::State Core::state() const {
    protocol::State state;
    state.phase = static_cast<protocol::Phase>(policy_.phase());
    if (policy_.target()) {
        state.would_boot = policy_.target()->option;
    }
    state.why = policy_.why();
    state.by = policy_.by();
    for (const auto& [by, what] : policy_.beaten()) {
        state.beaten.push_back({by, what.option, what.title});
    }
    state.strict = policy_.strict();
    state.lock = locks();
    state.lock_unknown = !settings_known();
    state.lock_after_ms = static_cast<std::uint64_t>(settings_.now().lock_after.value.count()) * 1000;
    state.shell = shell_;
    if (std::string by_default = default_option(); !by_default.empty()) {
        state.default_option = std::move(by_default);
    }
    if (const auto remaining = policy_.remaining(SteadyClock::now())) {
        state.remaining_ms = static_cast<std::uint64_t>(remaining->count());
    }
    state.progress = progress_;
    state.last_failure = policy_.last_failure();
    if (policy_.better()) {
        state.better_default = policy_.better()->option;
    }
    state.notices = notices_;
    if (locks_in_vain()) {
        state.notices.emplace_back("daemon.lock_in_vain");
    }
    state.version = STILLBOOT_VERSION;
    return state;
}

void Core::on_registry_change() {
    if (auto change = registry_.take_changes()) {
        if (!change->options.empty()) {
            times_.reach("first-option", SteadyClock::now());
        }
        publish(std::move(*change));
        act(policy_.on_claims(SteadyClock::now(), claims()));
    }
}

void Core::on_settled(bool complete) {
    if (!std::exchange(settled_once_, true)) {
        tell_default(events::Kind::discovered);
        if (const auto& script = settings_.now().script.value) {
            begin_script(*script);
        }
        hooks_.run_hooks(handover::HookPoint::after_discovery, default_subject());
    }
    act(policy_.on_settled(SteadyClock::now(), complete));
}

// It may choose, boot or cancel as any client may; the clock waits meanwhile.
void Core::begin_script(const std::string& path) {
    auto source = handover::source_of(registry_, path);
    if (!source) {
        return on_script_ended(path, source.error().message());
    }
    log_.info(Message("daemon.script_begun", {{"path", path}}));
    policy_.on_script_begun(SteadyClock::now() + settings_.now().script_deadline.value,
                            Message("daemon.why_script", {{"path", path}}));
    hooks_.run_script(std::move(*source),
                      [this, path](const std::optional<Message>& failure) { on_script_ended(path, failure); });
}

void Core::on_script_ended(const std::string& path, const std::optional<Message>& failure) {
    if (failure) {
        log_.error(Message("daemon.script_failed", {{"path", path}, {"reason", failure->sentence()}}));
    } else {
        log_.info(Message("daemon.script_ended", {{"path", path}}));
    }
    events::Event event;
    event.kind = events::Kind::script;
    event.what = path;
    event.reason = failure;
    hooks_.tell(event);
    act(policy_.on_script_ended(SteadyClock::now()));
}

void Core::on_recovering() {
    act(policy_.on_recovering());
}

void Core::on_recovered(const std::string& option, const std::optional<Message>& reason) {
    act(policy_.on_recovered(option, reason));
}

void Core::on_past(const handover::Past& past) {
    settle_past(past);
    for (const auto& act : std::exchange(for_store_, {})) {
        act();
    }
}

// Before it was read nobody knows which one it is: what is said meanwhile could go to another.
void Core::once_store_is_known(const ReplierPtr& replier, std::function<void()> act) {
    if (settings_known()) {
        return act();
    }
    if (for_store_.size() >= max_for_store) {
        return refuse(Error("handover.busy"), *replier);
    }
    for_store_.push_back(std::move(act));
}

void Core::settle_past(const handover::Past& past) {
    notices_ = past.notes;
    report_ = past.report;
    past_attempts_.insert(past_attempts_.end(), past.attempts.begin(), past.attempts.end());
    for (const Message& note : past.notes) {
        log_.warning(note);
    }
    store_was_read_ = true;
    if (past.entry_once) {
        kept_.entry_once = past.entry_once;
        tell_of_entry(*past.entry_once);
        act(policy_.on_claims(SteadyClock::now(), claims()));
    }
    if (past.choices) {
        for (const Diagnostic& refused : settings_.on_stored(past.settings)) {
            log_.warning(Message("daemon.said", {{"text", refused.text()}}));
        }
        keep_choices(*past.choices);
        act(policy_.on_claims(SteadyClock::now(), claims()));
    }
    look_at_lock();
    if (past.deaths_of) {
        act(policy_.on_deaths(SteadyClock::now(), *past.deaths_of));
    }
    cancel_as_known();
    const auto& retry = past.retry;
    if (!retry) {
        return;
    }
    if (const auto option = option_of(retry->option_id, true)) {
        retry_ = retry;
        return act(policy_.on_retry({option->id, option->title}));
    }
    notices_.emplace_back("daemon.retry_gone", std::initializer_list<Message::Param>{{"title", retry->title}});
    log_.error(notices_.back());
}

void Core::on_settings() {
    const auto now = SteadyClock::now();
    const Settings& settings = settings_.now();
    registry_.set_order(settings.order.value);
    on_registry_change();
    if (!settings.strict.value) {
        strict_since_.reset();
    } else if (!strict_since_) {
        strict_since_ = settled_once_ && !policy_.strict() ? now : started_;
    }
    act(policy_.on_settings(now, settings.timeout.value,
                            policy::strict_of(settings, strict_since_.value_or(now))));
    act(policy_.on_choice(now, claims()));
    look_at_lock();
}

void Core::on_stop() {
    act(policy_.on_cancel(SteadyClock::now()));
}

void Core::keep_choices(const handover::Choices& choices) {
    const auto candidate = [](const std::optional<handover::Choice>& choice) {
        return choice ? std::optional(policy::Candidate(choice->option_id, choice->title)) : std::nullopt;
    };
    kept_.one_shot = candidate(choices.one_shot);
    kept_.saved_default = candidate(choices.saved_default);
}

void Core::tell_of_entry(const std::string& entry) {
    const auto options = registry_.options();
    const bool is_there = std::any_of(options.begin(), options.end(),
                                      [&](const auto& option) { return policy::is_entry(option, entry); });
    const std::initializer_list<Message::Param> params = {{"entry", entry}};
    if (is_there) {
        return log_.info(Message("daemon.entry_once", params));
    }
    notices_.emplace_back("daemon.entry_once_missing", params);
    log_.warning(notices_.back());
}

// Whoever chose it: what is to be booted once is not booted again by itself.
void Core::use_entry(const protocol::Option& option, handover::Request& request) const {
    if (kept_.entry_once && policy::is_entry(option, *kept_.entry_once)) {
        request.entry_once = kept_.entry_once;
    }
}

void Core::act(const policy::Actions& actions) {
    if (policy_.phase() == policy::Phase::countdown || actions.boot) {
        times_.reach("decided", SteadyClock::now());
    }
    if (actions.boot) {
        start_boot(*actions.boot);
    }
    if (actions.cancel_boot) {
        booter_.cancel();
    }
    if (actions.changed) {
        if (std::string why = policy_.why().sentence(); why != logged_why_) {
            log_.info(Message("daemon.state_changed", {{"why", why}}));
            logged_why_ = std::move(why);
        }
        publish_state();
        tell_countdown();
    } else if (told_default_ != default_option()) {
        publish_state();
    }
    if (actions.ended) {
        do_final_action();
    }
    arm_timer();
}

void Core::do_final_action() {
    events::Event event;
    event.kind = events::Kind::final_action;
    event.what = to_word(settings_.now().final_action.value);
    event.reason = policy_.why();
    hooks_.tell(event);
    log_.error(Message("daemon.final_action", {{"action", to_word(settings_.now().final_action.value)},
                                               {"reason", policy_.why().sentence()}}));
    const FinalAction action = settings_.now().final_action.value;
    if (action == FinalAction::menu || action == FinalAction::shell) {
        shell_ = action == FinalAction::shell;
        return publish_state();
    }
    const bool power_off = action == FinalAction::power_off;
    if (const auto reason = hooks_.why_no_restart(power_off)) {
        log_.error(*reason);
        return hooks_.restart(false);  // which gets past what holds a power-off: it must not just sit there
    }
    hooks_.restart(power_off);
}

void Core::arm_timer() {
    const auto at = policy_.wake_at();
    if (!at) {
        timer_.cancel();
        return;
    }
    timer_.expires_at(*at);
    timer_.async_wait([this](boost::system::error_code failure) {
        if (!failure) {
            act(policy_.on_time(SteadyClock::now()));
        }
    });
}

// What boots by itself, as far as that is known: for hooks.
handover::HookSubject Core::default_subject() const {
    const auto found = registry_.find(default_option());
    const auto* option = std::get_if<const protocol::Option*>(&found);
    if (option == nullptr) {
        return {};
    }
    if (const auto request = handover::request_of(registry_, **option, {})) {
        return handover::subject_of(*request);
    }
    handover::HookSubject subject;
    subject.option = (*option)->id;
    subject.title = (*option)->title;
    return subject;
}

void Core::hand_over(handover::Request request) {
    handover::BootEvents events;
    events.on_event = [this](const handover::Event& event) { on_boot_event(event); };
    events.on_line = [this](const Message& line) { log_.info(line); };
    events.on_ended = [this](const handover::PastAttempt& ended) { handover::remember(past_attempts_, ended); };
    events.on_failed = [this](const Error& error) { on_boot_failed(error); };
    request.by = booting_by_;
    devices_went_ = false;
    booting_ = handover::subject_of(request);
    tell_boot(events::Kind::boot_begun);
    booter_.start(std::move(request), std::move(events));
}

// A kernel that an earlier one was told to boot is in no configuration: its id says where it is.
std::optional<protocol::Option> Core::option_of(const std::string& id, bool again) const {
    const auto found = registry_.find(id);
    if (const auto* option = std::get_if<const protocol::Option*>(&found)) {
        return **option;
    }
    if (!again) {
        return std::nullopt;
    }
    auto made = handover::option_of_kernel(registry_, id);
    return made ? std::optional(std::move(*made)) : std::nullopt;
}

void Core::start_boot(const std::string& id) {
    shell_ = false;
    if (policy_.by()) {
        booting_by_ = policy_.by()->sentence();
    } else if (!chosen_) {
        booting_by_.clear();
    }
    times_.begin_handover(SteadyClock::now());
    if (chosen_) {
        return hand_over(std::move(*std::exchange(chosen_, std::nullopt)));
    }
    booting_ = {};
    booting_.option = id;
    const auto retry = std::exchange(retry_, std::nullopt);
    const bool again = retry && retry->option_id == id;
    if (const auto option = option_of(id, again)) {
        handover::Overrides overrides;
        if (again) {
            overrides = retry->overrides;
            // A store without room for it has left it out: then it is the option's own.
            overrides.args = retry->command_line.empty() ? std::nullopt : std::optional(retry->command_line);
        }
        auto request = handover::request_of(registry_, *option, overrides);
        if (request) {
            request->attempt = again ? retry->attempt : 1;
            request->used_before = again ? retry->used : handover::UsedUp();
            request->must_record = must_record();
            use_entry(*option, *request);
            return hand_over(std::move(*request));
        }
    }
    // It went between the decision and now: the timer lets this function end before the failure is handled.
    boost::asio::post(timer_.get_executor(),
                      [this, id] { on_boot_failed(Error("daemon.option_gone", {{"option", id}})); });
}

// Nobody stands by: what is tried for ever would keep the machine from whatever else there is.
handover::MustRecord Core::must_record() const {
    using handover::MustRecord;
    if (!policy_.has_other()) {
        return MustRecord::nothing;
    }
    return policy_.chosen_for_once() ? MustRecord::choice : MustRecord::count;
}

void Core::on_boot_event(const handover::Event& event) {
    devices_went_ = devices_went_ || event.step == handover::Step::unbind;
    auto progress = handover::progress_of(event, policy_.target() ? policy_.target()->option : "");
    times_.reach_step(progress.step, SteadyClock::now());
    progress_ = progress;
    publish_state();
    protocol::Boot::Reply reply;
    reply.option = progress.option;
    reply.progress = std::move(progress);
    send_all(boot_watchers_, frame_of(reply, true));
}

void Core::on_boot_failed(const Error& error) {
    log_.error(Message("daemon.boot_failed", {{"reason", error.sentence()}}));
    times_.reach_step("failed", SteadyClock::now());
    progress_.reset();
    end_boot_callers(protocol::boot_failed(error.message()));
    booting_.reason = error.sentence();
    tell_boot(events::Kind::boot_failed, error.message());
    hooks_.run_hooks(handover::HookPoint::on_failure, booting_);
    const bool settles_again = settled_once_ && (devices_went_ || !store_was_read_);
    act(policy_.on_boot_failed(SteadyClock::now(), error.message(), settles_again));
    hooks_.rescan(std::nullopt);
    if (settles_again) {
        hooks_.settle_again();
    }
}

std::vector<Core::ReplierPtr> Core::leave_boot_callers() {
    protocol::Boot::Reply reply;
    reply.option = booting_.option;
    reply.progress = progress_;
    const Frame frame = frame_of(reply, false);
    auto callers = std::exchange(boot_watchers_, {});
    for (const auto& each : callers) {
        each->reply_frame(frame, false);
    }
    return callers;
}

void Core::end_boot_callers(const protocol::Reply& reply) {
    for (const auto& each : std::exchange(boot_watchers_, {})) {
        each->reply(reply);
    }
}

}  // namespace stillboot
