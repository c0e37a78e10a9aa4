// SPDX-License-Identifier: Apache-2.0
// What a locked console keeps back, and what the password sets free.
#include <algorithm>
#include <iterator>

#include "ui/menu/view_model.hpp"

namespace stillboot::menu {
namespace {

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

void ViewModel::password_key(const KeyPress& press, Actions& actions, Instant now) {
    if (command_for(press) == Command::redraw) {
        actions.emplace_back(action::Redraw{});
        return;
    }
    if (auto password = lock_.press(press, now)) {
        actions.emplace_back(action::Unlock{std::move(*password)});
    }
    if (!lock_.asking()) {
        kept_back_.clear();
        edit_wanted_ = false;
    }
}

void ViewModel::lock_key(Actions& actions) {
    if (lock_.locked()) {
        kept_back_.clear();
        edit_wanted_ = false;
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
    kept_back_.clear();
    edit_wanted_ = false;
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
    if (std::exchange(edit_wanted_, false) && mode_ == Mode::list) {
        edit_selected();
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
    Actions actions;
    if (const auto left = lock_.left(now); left && left->count() == 0) {
        lock_.lock();
        close_for_lock(Message("ui.locked_idle", {{"seconds", std::int64_t{lock_.idle_limit().count()}}}));
        actions.emplace_back(action::Lock{});
    }
    return actions;
}

}  // namespace stillboot::menu
