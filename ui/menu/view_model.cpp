// SPDX-License-Identifier: Apache-2.0
// What keys and changes do. What is drawn stands in view_screen.cpp.
#include "ui/menu/view_model.hpp"

#include <algorithm>

#include "daemon/protocol/failure.hpp"

namespace stillboot::menu {

using protocol::Phase;

void ViewModel::say(const Message& message, Role role) {
    notice_ = Sentence{message.sentence(), role};
}

std::string ViewModel::quoted_title(const std::string& option) const {
    return mirror_.title_of(option);
}

std::uint64_t ViewModel::remaining_ms(Instant now) const {
    const auto gone = std::chrono::duration_cast<std::chrono::milliseconds>(now - received_at_).count();
    const std::uint64_t left = mirror_.state().remaining_ms.value_or(0);
    const auto spent = static_cast<std::uint64_t>(std::max<std::int64_t>(gone, 0));
    return left > spent ? left - spent : 0;
}

// Changes from the daemon

Actions ViewModel::on_connected() {
    connected_ = true;
    whole_ = false;
    return {};
}

Actions ViewModel::on_unreachable(const Error& error, Instant now) {
    Actions actions;
    if (connected_ && plain_) {
        actions.emplace_back(action::Print{Message("ui.plain_lost", {{"reason", error.sentence()}}).sentence()});
    }
    connected_ = false;
    whole_ = false;
    stop_sent_ = false;
    unreachable_reason_ = error.sentence();
    const bool was_unknown = lock_.unknown();
    lock_.on_away(now);
    if (was_unknown && !lock_.unknown()) {
        on_lock_known(actions);
    }
    on_new_connection();
    mirror_.set_aside();
    list_.rebuild(mirror_);
    return actions;
}

Actions ViewModel::on_change(const protocol::Change& change, Instant now) {
    Actions actions;
    const Phase before = mirror_.state().phase;
    const bool had_shell = mirror_.state().shell;
    mirror_.apply(change);
    whole_ = true;
    list_.rebuild(mirror_);
    if (change.state) {
        received_at_ = now;
        const bool was_unknown = lock_.unknown();
        if (lock_.on_state(mirror_.state())) {
            close_for_lock(Message("ui.locked_now"));
        } else if (was_unknown && !lock_.unknown()) {
            on_lock_known(actions);
        }
        hold_clock(actions);
    }
    if (counting() && before != Phase::countdown) {
        countdown_total_ms_ = mirror_.state().remaining_ms.value_or(0);
        if (stop_wanted_) {
            actions.emplace_back(action::Cancel{});
            stop_sent_ = true;
        }
    }
    if (!counting()) {
        stop_sent_ = false;
    }
    if (handing_over() && holds_back()) {
        drop_kept_back();
    }
    stop_wanted_ = stop_wanted_ && mirror_.state().phase == Phase::discovering;
    if (mode_ == Mode::messages) {
        fill_messages();
    }
    take_progress(actions);
    if (mirror_.state().shell && !had_shell) {
        open_final_shell(actions, now);
    }
    return actions;
}

// Once: who leaves it finds the menu.
void ViewModel::open_final_shell(Actions& actions, Instant now) {
    if (!look_.console) {
        return;
    }
    Actions wanted{action::OpenShell{}};
    if (lock_.locked() || lock_.unknown()) {
        lock_.touch(now);  // the prompt begins now
        hold_back(wanted);
    }
    actions.insert(actions.end(), wanted.begin(), wanted.end());
}

void ViewModel::take_progress(Actions& actions) {
    if (!handing_over()) {
        progress_.start();
        if (plain_) {
            plain_ = false;
            mode_ = Mode::list;
            actions.emplace_back(action::EnterScreen{});
        }
        return;
    }
    if (!mirror_.state().progress) {
        return;
    }
    notice_.reset();
    const auto& progress = *mirror_.state().progress;
    const bool news = progress_.take(progress);
    if (!plain_ && !before_commit(progress.step)) {
        plain_ = true;
        actions.emplace_back(action::LeaveScreen{});
        const std::string title = neutralise(quoted_title(progress.option), look_.charset);
        actions.emplace_back(action::Print{Message("ui.plain_begin", {{"title", title}}).sentence()});
        actions.emplace_back(action::Print{Message("ui.plain_stop").sentence()});
    }
    if (plain_ && news) {
        actions.emplace_back(action::Print{plain_line(progress, look_.charset)});
    } else if (plain_ && !progress.active.empty()) {
        actions.emplace_back(action::Print{live_line(progress, look_), true});
    }
}

Actions ViewModel::on_log(const std::vector<protocol::LogLine>& lines, bool anew) {
    if (anew) {
        mirror_.clear_log();
    }
    mirror_.add_log(lines);
    if (mode_ == Mode::messages && show_log_) {
        fill_messages();
    }
    return {};
}

Actions ViewModel::on_settings(std::vector<protocol::Setting> settings) {
    settings_.set(std::move(settings));
    if (mode_ == Mode::list) {
        mode_ = Mode::settings;
        notice_.reset();
    }
    if (const auto* const setting = settings_.selected(); setting != nullptr && setting->key == set_key_) {
        say(Message("ui.setting_said",
                    {{"key", setting->key}, {"value", setting->value}, {"origin", setting->origin}}),
            Role::good);
    }
    set_key_.clear();
    return {};
}

Actions ViewModel::on_system(const protocol::System& system) {
    if (mode_ == Mode::list) {
        notice_.reset();
        open_page("System", system_page(system, mirror_));
    }
    return {};
}

Actions ViewModel::on_failure(const Error& error) {
    set_key_.clear();
    // The daemon tells every client of a boot that failed, in its state: one sentence on the screen is enough.
    if (protocol::classify(error) != protocol::Failure::boot_failed || !mirror_.state().last_failure) {
        notice_ = Sentence{error.sentence(), Role::error};
    }
    return {};
}

void ViewModel::on_resize(int rows, int columns) {
    look_.rows = std::max(rows, 1);
    look_.columns = std::max(columns, 1);
}

std::optional<std::chrono::milliseconds> ViewModel::until_tick(Instant now) const {
    using std::chrono::milliseconds;
    // Sentences count whole seconds and round up.
    const auto to_second = [](std::uint64_t left) {
        return milliseconds(left == 0 ? 1000 : (left - 1) % 1000 + 1);
    };
    std::optional<milliseconds> next = lock_.left(now);
    const auto take = [&](milliseconds other) { next = next ? std::min(*next, other) : other; };
    if (counting() && !plain_) {
        take(to_second(remaining_ms(now)));
    }
    if (const auto left = until_dropped(now)) {
        take(*left);
    }
    if (const auto wait = lock_.wait(now); lock_.asking() && wait.count() > 0) {
        take(to_second(static_cast<std::uint64_t>(wait.count())));
    }
    return next;
}

// Keys

Actions ViewModel::on_key(const KeyPress& press, Instant now) {
    drop_if_left(now);
    lock_.touch(now);
    if (lock_.asking() && !plain_ && !handing_over()) {
        Actions actions;
        password_key(press, actions, now);
        return actions;
    }
    const bool holds = lock_.locked() || lock_.unknown();
    if (lock_.unknown()) {
        kept_back_.clear();
    }
    Actions actions = key_actions(press);
    if (holds) {
        hold_back(actions);
    }
    return actions;
}

Actions ViewModel::key_actions(const KeyPress& press) {
    Actions actions;
    if (plain_) {
        plain_key(press, actions);
        return actions;
    }
    if (handing_over()) {
        handover_key(press, actions);
        return actions;
    }
    notice_.reset();
    stop_clock(press, actions);
    switch (mode_) {
        case Mode::list: list_key(command_for(press), actions); break;
        case Mode::page:
        case Mode::messages: page_key(command_for(press)); break;
        case Mode::editor: editor_key(press, actions); break;
        case Mode::settings:
            settings_.editing() ? setting_editor_key(press, actions) : settings_key(press, actions);
            break;
        case Mode::confirm_restart:
        case Mode::confirm_power_off: confirm_key(press, actions); break;
    }
    return actions;
}

/// Any key stops the clock and still does what it does. Enter alone leaves it to the boot that it asks for: a
/// cancel on its way could otherwise overtake that boot and end it.
void ViewModel::stop_clock(const KeyPress& press, Actions& actions) {
    const Phase phase = mirror_.state().phase;
    const bool boots = mode_ == Mode::list && press.key == Key::enter &&
                       list_.selected_option(mirror_) != nullptr &&
                       list_.selected_option(mirror_)->state == protocol::OptionState::ready;
    if (!whole_ || boots || stop_sent_ || phase == Phase::idle || phase == Phase::handover) {
        return;
    }
    if (held() || lock_.locked()) {
        say(Message(lock_.locked() ? "ui.locked_clock" : "ui.strict"), Role::warning);
        return;
    }
    stop_sent_ = phase == Phase::countdown;
    if (!stop_wanted_) {
        actions.emplace_back(action::Cancel{});
    }
    stop_wanted_ = phase == Phase::discovering;
    if (phase != Phase::discovering) {
        say(Message("ui.stopped"), Role::good);
    }
}

void ViewModel::list_key(Command command, Actions& actions) {
    if (list_.move(command)) {
        return;
    }
    switch (command) {
        case Command::boot: boot_selected(actions); break;
        case Command::edit:
            edit_wanted_ = lock_.locked();
            edit_wanted_ ? lock_.ask() : edit_selected();
            break;
        case Command::lock: lock_key(actions); break;
        case Command::details: open_details(); break;
        case Command::messages:
            mode_ = Mode::messages;
            show_log_ = false;
            messages_.go_to_start();
            fill_messages();
            break;
        case Command::help: open_page("Help", help_page()); break;
        case Command::rescan:
            actions.emplace_back(action::Rescan{});
            say(Message("ui.rescan_asked"));
            break;
        case Command::settings:
            actions.emplace_back(action::AskSettings{});
            say(Message("ui.settings_asked"));
            break;
        case Command::system:
            actions.emplace_back(action::AskSystem{});
            say(Message("ui.system_asked"));
            break;
        case Command::shell: ask_for_shell(actions); break;
        case Command::restart: mode_ = Mode::confirm_restart; break;
        case Command::power_off: mode_ = Mode::confirm_power_off; break;
        case Command::quit: actions.emplace_back(action::Quit{}); break;
        case Command::redraw: actions.emplace_back(action::Redraw{}); break;
        default: break;
    }
}

// What a shell may do no daemon holds back: in strict mode a console has none before that has ended.
void ViewModel::ask_for_shell(Actions& actions) {
    if (held()) {
        return say(Message("ui.strict"), Role::warning);
    }
    actions.emplace_back(action::OpenShell{});
}

void ViewModel::boot_selected(Actions& actions) {
    const auto* option = list_.selected_option(mirror_);
    if (option == nullptr) {
        open_details();
    } else if (option->state == protocol::OptionState::waiting) {
        say(Message("ui.boot_waits", {{"title", option->title},
                                      {"reason", option->reason ? option->reason->sentence() : std::string()}}),
            Role::warning);
    } else {
        actions.emplace_back(action::Boot{option->id, std::nullopt});
        say(Message("ui.boot_asked", {{"title", option->title}}));
    }
}

void ViewModel::edit_selected() {
    if (const auto* option = list_.selected_option(mirror_); option != nullptr) {
        editor_.emplace(option->args, look_.charset);
        editor_option_ = option->id;
        editor_title_ = option->title;
        mode_ = Mode::editor;
    }
}

void ViewModel::open_details() {
    if (const auto* option = list_.selected_option(mirror_); option != nullptr) {
        open_page("Details", option_page(*option, mirror_));
    } else if (const auto* device = list_.selected_device(mirror_); device != nullptr) {
        open_page("Details", device_page(*device));
    }
}

void ViewModel::open_page(std::string title, std::vector<Paragraph> content) {
    page_title_ = std::move(title);
    page_.set(std::move(content));
    page_.go_to_start();
    mode_ = Mode::page;
}

void ViewModel::fill_messages() {
    messages_.set(show_log_ ? log_page(mirror_) : problems_page(mirror_));
}

void ViewModel::page_key(Command command) {
    if ((mode_ == Mode::messages ? messages_ : page_).move(command)) {
        return;
    }
    if (command == Command::next_tab && mode_ == Mode::messages) {
        show_log_ = !show_log_;
        show_log_ ? messages_.go_to_end() : messages_.go_to_start();
        fill_messages();
    } else if (command == Command::back || command == Command::quit || command == Command::boot) {
        mode_ = Mode::list;
    }
}

void ViewModel::settings_key(const KeyPress& press, Actions& actions) {
    const Command command = command_for(press);
    if (settings_.move(command)) {
        return;
    }
    const protocol::Setting* const setting = settings_.selected();
    switch (command) {
        case Command::boot:  // Enter
        case Command::edit:
        case Command::forget:
            if (setting == nullptr) {
                break;
            }
            if (!setting->any_time) {
                say(Message("config.setting_at_start", {{"key", setting->key}}), Role::warning);
            } else if (command == Command::forget) {
                set_key_ = setting->key;
                actions.emplace_back(
                    action::Set{setting->key, std::nullopt, setting->origin == "this start only"});
            } else if (lock_.locked()) {
                edit_wanted_ = true;
                lock_.ask();
            } else {
                settings_.edit(look_.charset);
            }
            break;
        case Command::back:
        case Command::quit: mode_ = Mode::list; break;
        case Command::redraw: actions.emplace_back(action::Redraw{}); break;
        default: break;
    }
}

void ViewModel::setting_editor_key(const KeyPress& press, Actions& actions) {
    if (press.key == Key::escape || press == KeyPress{Key::control, "c"}) {
        settings_.stop_editing();
    } else if (press.key == Key::tab) {
        settings_.toggle_once();
    } else if (press.key != Key::enter) {
        settings_.press(press, look_.columns);
    } else if (!settings_.problem()) {
        set_key_ = settings_.selected()->key;
        actions.emplace_back(action::Set{set_key_, settings_.text(), settings_.once()});
        settings_.stop_editing();
    }
}

void ViewModel::editor_key(const KeyPress& press, Actions& actions) {
    const bool leave = press.key == Key::escape || press == KeyPress{Key::control, "c"};
    if (press.key == Key::enter) {
        actions.emplace_back(action::Boot{editor_option_, editor_->text()});
        say(Message("ui.boot_asked", {{"title", editor_title_}}));
    }
    if (leave || press.key == Key::enter) {
        editor_.reset();
        mode_ = Mode::list;
    } else {
        editor_->press(press, look_.columns - 4);
    }
}

void ViewModel::confirm_key(const KeyPress& press, Actions& actions) {
    const bool restart = mode_ == Mode::confirm_restart;
    mode_ = Mode::list;
    if (press != KeyPress{Key::character, "y"}) {
        return;
    }
    if (restart) {
        actions.emplace_back(action::Restart{});
    } else {
        actions.emplace_back(action::PowerOff{});
    }
    say(Message(restart ? "ui.restart_asked" : "ui.power_off_asked"));
}

void ViewModel::handover_key(const KeyPress& press, Actions& actions) {
    if (press.key == Key::escape || press == KeyPress{Key::control, "c"}) {
        actions.emplace_back(action::Cancel{});
    } else if (command_for(press) == Command::redraw) {
        actions.emplace_back(action::Redraw{});
    }
}

void ViewModel::plain_key(const KeyPress& press, Actions& actions) {
    if (!connected_) {
        plain_ = false;
        mode_ = Mode::list;
        actions.emplace_back(action::EnterScreen{});
    } else if (press == KeyPress{Key::control, "c"}) {
        actions.emplace_back(action::Cancel{});
        const char* const code = lock_.locked() ? "ui.locked_handover"
                                 : held()       ? "ui.strict"
                                                : "ui.plain_stopping";
        actions.emplace_back(action::Print{Message(code).sentence()});
    }
}

}  // namespace stillboot::menu
