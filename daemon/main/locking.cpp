// SPDX-License-Identifier: Apache-2.0
// Consoles that may only look until the password was given there.
#include "daemon/main/core.hpp"
#include "daemon/main/parameters.hpp"
#include "daemon/protocol/failure.hpp"
#include "daemon/protocol/service.hpp"

namespace stillboot {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::seconds busy_wait{1};

std::int64_t count(std::chrono::milliseconds time) {
    return time.count();
}

}  // namespace

// The state store may say that consoles are locked, and with which password.
bool Core::settings_known() const {
    return store_was_read_ || settings_.now().state_store.value == "none";
}

// Before the state store was read nobody knows whether there is a password: what is to be locked is.
bool Core::locks() const {
    const Settings& settings = settings_.now();
    return settings.lock.value && (!settings.password.value.text.empty() || !settings_known());
}

bool Core::locks_in_vain() const {
    return settings_.now().lock.value && !locks();
}

// What is new about it: menus lock their consoles by what the state says.
void Core::look_at_lock() {
    if (locks_in_vain() && !told_in_vain_) {
        log_.warning(Message("daemon.lock_in_vain"));
    }
    told_in_vain_ = locks_in_vain();
    if (told_lock_ == locks() && told_known_ == settings_known()) {
        return;
    }
    told_known_ = settings_known();
    const bool anew = std::exchange(told_lock_, locks()) != told_lock_;
    if (const auto why = anew && told_lock_ ? hooks_.why_no_passwords() : std::nullopt) {
        log_.error(Message("daemon.lock_for_good", {{"reason", why->sentence()}}));
    }
    publish_state();
}

void Core::lock_console(const Caller& caller) {
    caller.replier->set_locked(true);
    caller.replier->reply(protocol::Reply());
}

// A key stops the clock at every console but a locked one, and which of them this is nobody knows yet: on_past()
// decides, before the clock is wound up.
void Core::cancel_later(const Caller& caller) {
    const auto asked = parameters_of<protocol::Cancel>(caller.call, *caller.replier);
    const bool from_console = asked && asked->console.value_or(false);
    if (!asked || answer_strict(from_console, caller)) {
        return;
    }
    cancel_waits_ = cancel_waits_.value_or(true) && from_console;
    caller.replier->reply(reply_of(protocol::Cancel::Reply()));
}

// The store may have locked the console, or have turned strict mode on; and a boot that somebody asked for
// meanwhile is not what the key was to stop.
void Core::cancel_as_known() {
    const auto from_console = std::exchange(cancel_waits_, std::nullopt);
    const bool held = locks() || (policy_.strict() && from_console.value_or(false));
    if (from_console && !held && policy_.phase() != policy::Phase::handover) {
        act(policy_.on_cancel(SteadyClock::now()));
    }
}

void Core::unlock_console(const Caller& caller) {
    const auto asked = parameters_of<protocol::UnlockConsole>(caller.call, *caller.replier);
    if (!asked) {
        return;
    }
    if (!password::check_text(asked->password)) {
        caller.replier->reply(protocol::invalid_parameter("password"));
        return;
    }
    if (!settings_known()) {
        caller.replier->reply(protocol::refused(Message("daemon.lock_unknown")));
        return;
    }
    const std::string& hash = settings_.now().password.value.text;
    if (!caller.peer.locked || hash.empty()) {
        caller.replier->reply(
            protocol::refused(Message(caller.peer.locked ? "daemon.no_password_set" : "daemon.not_locked")));
        return;
    }
    const std::string source = caller.peer.seat();
    const auto wait = password_attempts_.wait(source, SteadyClock::now());
    if (wait.count() > 0 || checking_password_) {
        caller.replier->reply(protocol::try_later(std::max<std::chrono::milliseconds>(wait, busy_wait)));
        return on_trouble(
            caller.peer.key(),
            Message("daemon.unlock_too_soon", {{"peer", caller.peer.who().sentence()}, {"wait_ms", count(wait)}}));
    }
    checking_password_ = true;
    const auto done = [this, peer = caller.peer, replier = caller.replier](const Result<bool>& right) {
        checking_password_ = false;
        on_password(right, peer, *replier);
    };
    hooks_.check_password(hash, asked->password, done);
}

void Core::on_password(const Result<bool>& right, const server::Peer& peer, server::Replier& replier) {
    const std::string who = peer.who().sentence();
    if (!right) {
        on_trouble(peer.key(), right.error().message());
        return refuse(right.error(), replier);
    }
    if (!*right) {
        const auto wait = password_attempts_.wrong(peer.seat(), SteadyClock::now());
        replier.reply(protocol::wrong_password(wait));
        return on_trouble(peer.key(),
                          Message(wait.count() > 0 ? "daemon.unlock_wrong_wait" : "daemon.unlock_wrong",
                                  {{"peer", who}, {"wait_ms", count(wait)}}));
    }
    password_attempts_.right(peer.seat());
    replier.set_locked(false);
    replier.reply(protocol::Reply());
    log_.info(Message("daemon.unlocked", {{"peer", who}}));
}

}  // namespace stillboot
