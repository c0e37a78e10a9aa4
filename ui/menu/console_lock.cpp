// SPDX-License-Identifier: Apache-2.0
// The lock's state, and the keys of its prompt.
#include "ui/menu/console_lock.hpp"

#include <string.h>

#include <algorithm>
#include <charconv>

namespace stillboot::menu {
namespace {

using std::chrono::milliseconds;

bool continues_character(char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80;
}

void rub_out(std::string& text) {
    while (!text.empty() && continues_character(text.back())) {
        text.pop_back();
    }
    if (!text.empty()) {
        text.pop_back();
    }
}

milliseconds wait_of(const Error& why) {
    const std::string_view text = why.message().param("wait_ms");
    std::int64_t number = 0;
    (void)std::from_chars(text.data(), text.data() + text.size(), number);
    return milliseconds(number);
}

}  // namespace

void ConsoleLock::forget() {
    ::explicit_bzero(typed_.data(), typed_.size());
    typed_.clear();
}

bool ConsoleLock::on_state(const protocol::State& state) {
    away_since_.reset();
    if (state.lock_unknown && !state.lock) {
        return false;
    }
    known_ = known_ || !state.lock_unknown;
    const bool before = wanted_;
    wanted_ = console_ && state.lock;
    after_ = std::chrono::seconds(state.lock_after_ms / 1000);
    if (wanted_ == before) {
        return false;
    }
    locked_ = wanted_;
    if (!locked_) {
        stop_asking();
    }
    return locked_;
}

void ConsoleLock::on_away(Instant now) {
    away_since_ = away_since_.value_or(now);
    known_ = known_ || now - *away_since_ >= away_limit;
}

bool ConsoleLock::lock() {
    locked_ = wanted_;
    sent_ = false;
    stop_asking();
    return locked_;
}

void ConsoleLock::unlock(Instant now) {
    locked_ = false;
    sent_ = false;
    stop_asking();
    touch(now);
}

std::optional<milliseconds> ConsoleLock::left(Instant now) const {
    if (!wanted_ || locked_ || after_.count() == 0) {
        return std::nullopt;
    }
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(last_key_ + after_ - now));
}

milliseconds ConsoleLock::idle(Instant now) const {
    return std::chrono::floor<milliseconds>(now - last_key_);
}

void ConsoleLock::stop_asking() {
    asking_ = false;
    forget();
}

void ConsoleLock::ask() {
    asking_ = true;
    refusal_.reset();
}

std::optional<std::string> ConsoleLock::press(const KeyPress& key, Instant now) {
    if (key.key == Key::escape || key == KeyPress{Key::control, "c"}) {
        stop_asking();
    } else if (key.key == Key::backspace) {
        rub_out(typed_);
    } else if (key == KeyPress{Key::control, "u"}) {
        forget();
    } else if (key.key == Key::character && typed_.size() + key.text.size() <= max_bytes) {
        typed_ += key.text;
    } else if (key.key == Key::enter && !typed_.empty() && !sent_ && wait(now).count() == 0) {
        sent_ = true;
        std::string password = typed_;
        forget();
        return password;
    }
    return std::nullopt;
}

void ConsoleLock::on_refused(const Error& why, Instant now) {
    sent_ = false;
    refusal_ = why;
    next_try_ = now + wait_of(why);
}

std::size_t ConsoleLock::typed() const {
    return static_cast<std::size_t>(
        std::count_if(typed_.begin(), typed_.end(), [](char c) { return !continues_character(c); }));
}

milliseconds ConsoleLock::wait(Instant now) const {
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(next_try_ - now));
}

Message ConsoleLock::says(Instant now) const {
    if (sent_) {
        return Message("ui.password_sent");
    }
    if (const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait(now)).count(); seconds > 0) {
        const bool wrong = refusal_ && refusal_->code() == "daemon.wrong_password";
        return Message(wrong ? "ui.password_wrong_wait" : "ui.password_wait",
                       {{"seconds", std::int64_t{seconds}}});
    }
    if (!refusal_ || refusal_->code() == "daemon.try_later") {
        return Message("ui.password_how");
    }
    if (refusal_->code() == "daemon.wrong_password") {
        return Message("ui.password_again");
    }
    return Message("ui.password_refused", {{"reason", refusal_->sentence()}});
}

}  // namespace stillboot::menu
