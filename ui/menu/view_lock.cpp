// SPDX-License-Identifier: Apache-2.0
// What a locked console keeps back, and what the password sets free.
#include <algorithm>
#include <iterator>

#include "ui/menu/view_model.hpp"

namespace stillboot::menu {
namespace {

/// Without a key at the prompt, what is held over it is dropped: whoever asked for it has gone.
constexpr std::chrono::milliseconds left_after{30'000};

/// All that is more than to look. A shell is the menu's own to give, and so is leaving it, for what may be behind
/// it.
bool needs_password(const Action& what) {
    return std::holds_alternative<action::Boot>(what) || std::holds_alternative<action::Cancel>(what) ||
           std::holds_alternative<action::Rescan>(what) || std::holds_alternative<action::Set>(what) ||
           std::holds_alternative<action::Restart>(what) || std::holds_alternative<action::PowerOff>(what) ||
           std::holds_alternative<action::OpenShell>(what) || std::holds_alternative<action::Quit>(what);
}

}  // namespace

/// In a hand-over it is dropped: there is no asking in the middle of it.
void ViewModel::hold_back(Actions& actions) {
    const auto first = std::stable_partition(actions.begin(), actions.end(),
                                             [](const Action& what) { return !needs_password(what); });
    if (first == actions.end()) {
        return;
    }
    if (lock_.unknown()) {
        return hold_until_known(actions);
    }
    Actions held(std::make_move_iterator(first), std::make_move_iterator(actions.end()));
    actions.erase(first, actions.end());
    if (plain_ || handing_over()) {
        return;
    }
    notice_.reset();
    set_key_.clear();
    kept_back_ = std::move(held);
    edit_wanted_ = false;
    lock_.ask();
}

/// A moment's work: the daemon says so once it has read the state store. What would boot by itself then waits for
/// what was asked for here.
void ViewModel::hold_until_known(Actions& actions) {
    const auto is_cancel = [](const Action& what) { return std::holds_alternative<action::Cancel>(what); };
    const auto first = std::stable_partition(actions.begin(), actions.end(), [&](const Action& what) {
        return !needs_password(what) || is_cancel(what);
    });
    if (first == actions.end()) {
        return;
    }
    kept_back_.assign(std::make_move_iterator(first), std::make_move_iterator(actions.end()));
    actions.erase(first, actions.end());
    hold_clock(actions);
    say(Message("ui.lock_unknown"), Role::attention);
}

/// What is held may have been asked for before the daemon was there to be told.
void ViewModel::hold_clock(Actions& actions) {
    if (lock_.unknown() && whole_ && !held() && !kept_back_.empty() && !std::exchange(stop_wanted_, true)) {
        actions.emplace_back(action::Cancel{});
    }
}

/// A cancel of now goes before what was asked for, and none behind it, which could end a boot.
void ViewModel::on_lock_known(Actions& actions) {
    if (kept_back_.empty()) {
        return;
    }
    if (std::exchange(stop_wanted_, false)) {
        actions.emplace_back(action::Cancel{});
    }
    std::move(kept_back_.begin(), kept_back_.end(), std::back_inserter(actions));
    kept_back_.clear();
    notice_.reset();
}

void ViewModel::password_key(const KeyPress& press, Actions& actions, Instant now) {
    if (command_for(press) == Command::redraw) {
        actions.emplace_back(action::Redraw{});
        return;
    }
    if (auto password = lock_.press(press, now)) {
        actions.emplace_back(action::Unlock{std::move(*password)});
    }
    if (!lock_.asking()) {
        drop_kept_back();
    }
}

std::optional<std::chrono::milliseconds> ViewModel::until_dropped(Instant now) const {
    if (!lock_.asking() || !holds_back()) {
        return std::nullopt;
    }
    return std::max(std::chrono::milliseconds(0), left_after - lock_.idle(now));
}

void ViewModel::drop_kept_back() {
    kept_back_.clear();
    edit_wanted_ = false;
    lock_.stop_asking();
}

/// Whoever comes next with the password must not do what another one wanted.
void ViewModel::drop_if_left(Instant now) {
    if (const auto left = until_dropped(now); left && left->count() == 0) {
        drop_kept_back();
    }
}

/// What the password is asked for; there is something.
Message ViewModel::kept_back_is() const {
    if (edit_wanted_) {
        return Message("ui.held_edit");
    }
    const Action& what = kept_back_.back();
    if (const auto* const boot = std::get_if<action::Boot>(&what)) {
        return Message("ui.held_boot", {{"title", quoted_title(boot->option)}});
    }
    if (const auto* const set = std::get_if<action::Set>(&what)) {
        return Message("ui.held_set", {{"key", set->key}});
    }
    return Message(std::holds_alternative<action::Cancel>(what)      ? "ui.held_cancel"
                   : std::holds_alternative<action::Rescan>(what)    ? "ui.held_rescan"
                   : std::holds_alternative<action::Restart>(what)   ? "ui.held_restart"
                   : std::holds_alternative<action::PowerOff>(what)  ? "ui.held_power_off"
                   : std::holds_alternative<action::OpenShell>(what) ? "ui.held_shell"
                                                                     : "ui.held_quit");
}

void ViewModel::lock_key(Actions& actions) {
    if (lock_.unknown()) {
        say(Message("ui.lock_unknown"), Role::attention);
    } else if (lock_.locked()) {
        drop_kept_back();
        lock_.ask();
    } else if (lock_.lock()) {
        close_for_lock(Message("ui.locked_now"));
        actions.emplace_back(action::Lock{});
    } else {
        say(Message("ui.lock_none"));
    }
}

/// Nothing that was begun stays open for the next one who comes.
void ViewModel::close_for_lock(const Message& why) {
    editor_.reset();
    settings_.stop_editing();
    set_key_.clear();
    drop_kept_back();
    stop_wanted_ = false;
    mode_ = Mode::list;
    say(why, Role::warning);
}

Actions ViewModel::on_unlocked(Instant now) {
    lock_.unlock(now);
    Actions actions = std::exchange(kept_back_, {});
    say(Message("ui.unlocked"), Role::good);
    const bool boots = std::any_of(actions.begin(), actions.end(),
                                   [](const Action& what) { return std::holds_alternative<action::Boot>(what); });
    for (const Action& what : actions) {
        if (const auto* const set = std::get_if<action::Set>(&what)) {
            set_key_ = set->key;
        }
    }
    if (!boots) {
        stop_clock({}, actions);
    }
    if (std::exchange(edit_wanted_, false)) {
        mode_ == Mode::settings ? settings_.edit(look_.charset) : edit_selected();
    }
    return actions;
}

void ViewModel::on_unlock_refused(const Error& why, Instant now) {
    lock_.on_refused(why, now);
}

void ViewModel::on_new_connection() {
    if (lock_.wanted() && !lock_.locked()) {
        lock_.lock();
        close_for_lock(Message("ui.locked_now"));
    }
}

Actions ViewModel::on_tick(Instant now) {
    drop_if_left(now);
    Actions actions;
    if (const auto left = lock_.left(now); left && left->count() == 0) {
        lock_.lock();
        close_for_lock(Message("ui.locked_idle", {{"seconds", std::int64_t{lock_.idle_limit().count()}}}));
        actions.emplace_back(action::Lock{});
    }
    return actions;
}

}  // namespace stillboot::menu
