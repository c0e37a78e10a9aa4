// SPDX-License-Identifier: Apache-2.0
// The menu without a terminal: what the daemon tells and what is typed go in, actions and screens come out.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/base/result.hpp"
#include "ui/menu/console_lock.hpp"
#include "ui/menu/line_editor.hpp"
#include "ui/menu/list_view.hpp"
#include "ui/menu/mirror.hpp"
#include "ui/menu/pages.hpp"
#include "ui/menu/progress_view.hpp"
#include "ui/menu/settings_view.hpp"
#include "ui/menu/text_view.hpp"

namespace stillboot::menu {

/// What the menu wants done, in order.
namespace action {
/// io.stillboot.Boot, with another command line where there is one.
struct Boot {
    std::string option;
    std::optional<std::string> args;
    bool operator==(const Boot&) const = default;
};
/// io.stillboot.Cancel
struct Cancel {
    bool operator==(const Cancel&) const = default;
};
struct Rescan {
    bool operator==(const Rescan&) const = default;
};
/// io.stillboot.GetSettings, for on_settings()
struct AskSettings {
    bool operator==(const AskSettings&) const = default;
};
/// io.stillboot.SetSetting, and then AskSettings; without a value what was said is forgotten.
struct Set {
    std::string key;
    std::optional<std::string> value;
    bool once = false;
    bool operator==(const Set&) const = default;
};
/// io.stillboot.UnlockConsole, for on_unlocked() or on_unlock_refused()
struct Unlock {
    std::string password;
    bool operator==(const Unlock&) const = default;
};
/// Gives up what the password gave: the daemon too holds this console for locked.
struct Lock {
    bool operator==(const Lock&) const = default;
};
/// io.stillboot.GetSystem, for on_system()
struct AskSystem {
    bool operator==(const AskSystem&) const = default;
};
struct Restart {
    bool operator==(const Restart&) const = default;
};
struct PowerOff {
    bool operator==(const PowerOff&) const = default;
};
/// Leaves the screen for a shell, and comes back after it.
struct OpenShell {
    bool operator==(const OpenShell&) const = default;
};
struct Quit {
    bool operator==(const Quit&) const = default;
};
/// Draws everything anew, for a screen that something else wrote on.
struct Redraw {
    bool operator==(const Redraw&) const = default;
};
/// Gives the terminal back for plain lines, and takes it again.
struct LeaveScreen {
    bool operator==(const LeaveScreen&) const = default;
};
struct EnterScreen {
    bool operator==(const EnterScreen&) const = default;
};
/// One plain line, while the screen is left.
struct Print {
    std::string line;
    bool passing = false;  ///< the next line is written over it
    bool operator==(const Print&) const = default;
};
}  // namespace action

using Action =
    std::variant<action::Boot, action::Cancel, action::Rescan, action::AskSettings, action::Set, action::Unlock,
                 action::Lock, action::AskSystem, action::Restart, action::PowerOff, action::OpenShell,
                 action::Quit, action::Redraw, action::LeaveScreen, action::EnterScreen, action::Print>;
using Actions = std::vector<Action>;

class ViewModel {
public:
    using Instant = std::chrono::steady_clock::time_point;

    /// @param begins_locked  a console is locked even before the daemon has said so
    explicit ViewModel(Look look, bool begins_locked = false) : look_(look), lock_(look.console, begins_locked) {}

    Actions on_key(const KeyPress& press, Instant now);
    /// An event of Watch; the first one after on_connected() is whole, or goes on from the last one before.
    Actions on_change(const protocol::Change& change, Instant now);
    /// anew: the log is told from its beginning.
    Actions on_log(const std::vector<protocol::LogLine>& lines, bool anew = false);
    /// The settings as they are now; opens their screen where that was asked for.
    Actions on_settings(std::vector<protocol::Setting> settings);
    Actions on_system(const protocol::System& system);
    Actions on_connected();
    /// The connection could not be made, or ended.
    Actions on_unreachable(const Error& error, Instant now);
    /// A call was refused or failed.
    Actions on_failure(const Error& error);
    /// The password was accepted: what it was asked for is done.
    Actions on_unlocked(Instant now);
    void on_unlock_refused(const Error& why, Instant now);
    /// What an earlier connection to the daemon was allowed is over.
    void on_new_connection();
    /// Somebody has used this console for something else.
    void on_used(Instant now) { lock_.touch(now); }
    /// The time of until_tick() is over.
    Actions on_tick(Instant now);
    void on_resize(int rows, int columns);

    [[nodiscard]] const ConsoleLock& lock() const { return lock_; }

    /// When the screen changes by itself, with nothing new from anywhere.
    [[nodiscard]] std::optional<std::chrono::milliseconds> until_tick(Instant now) const;
    /// What to show. `now` is for the clock in it.
    [[nodiscard]] Screen screen(Instant now);

private:
    enum class Mode { list, page, messages, editor, settings, confirm_restart, confirm_power_off };
    struct Sentence {
        std::string text;
        Role role = Role::normal;
    };

    [[nodiscard]] bool counting() const { return mirror_.state().phase == protocol::Phase::countdown; }
    [[nodiscard]] bool handing_over() const { return mirror_.state().phase == protocol::Phase::handover; }
    /// Strict mode: what is typed here stops and boots nothing.
    [[nodiscard]] bool held() const { return look_.console && mirror_.state().strict; }
    [[nodiscard]] std::uint64_t remaining_ms(Instant now) const;
    [[nodiscard]] Actions key_actions(const KeyPress& press);
    void hold_back(Actions& actions);
    void hold_until_known(Actions& actions);
    void hold_clock(Actions& actions);
    void on_lock_known(Actions& actions);
    void password_key(const KeyPress& press, Actions& actions, Instant now);
    void lock_key(Actions& actions);
    void close_for_lock(const Message& why);
    [[nodiscard]] bool holds_back() const { return !kept_back_.empty() || edit_wanted_; }
    [[nodiscard]] std::optional<std::chrono::milliseconds> until_dropped(Instant now) const;
    void drop_kept_back();
    void drop_if_left(Instant now);
    [[nodiscard]] Message kept_back_is() const;
    void stop_clock(const KeyPress& press, Actions& actions);
    void list_key(Command command, Actions& actions);
    void page_key(Command command);
    void settings_key(const KeyPress& press, Actions& actions);
    void setting_editor_key(const KeyPress& press, Actions& actions);
    void editor_key(const KeyPress& press, Actions& actions);
    void confirm_key(const KeyPress& press, Actions& actions);
    void handover_key(const KeyPress& press, Actions& actions);
    void plain_key(const KeyPress& press, Actions& actions);
    void boot_selected(Actions& actions);
    void ask_for_shell(Actions& actions);
    void edit_selected();
    void open_details();
    void open_page(std::string title, std::vector<Paragraph> content);
    void fill_messages();
    void say(const Message& message, Role role = Role::normal);
    void take_progress(Actions& actions);
    void open_final_shell(Actions& actions, Instant now);

    [[nodiscard]] std::string quoted_title(const std::string& option) const;
    [[nodiscard]] std::vector<Sentence> status(Instant now) const;
    [[nodiscard]] std::vector<Sentence> phase_status(Instant now) const;
    [[nodiscard]] const char* stop_code() const;
    [[nodiscard]] std::vector<Sentence> lock_status(Instant now) const;
    [[nodiscard]] Line header() const;
    [[nodiscard]] Line footer() const;
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> footer_keys() const;
    void draw_status(Screen& screen, Instant now) const;
    void draw_list(Screen& screen, Instant now, int rows);
    void draw_text(Screen& screen, TextView& text, int rows);
    void draw_editor(Screen& screen, int rows) const;
    void draw_settings(Screen& screen, int rows);
    void draw_handover(Screen& screen, int rows) const;
    void add_lines(Screen& screen, const Sentence& sentence, int at_most) const;
    [[nodiscard]] Line blank() const { return LineBuilder(look_.columns, look_.charset).take(); }

    Look look_;
    ConsoleLock lock_;
    Actions kept_back_;         ///< until the password is given, or none is needed
    bool edit_wanted_ = false;  ///< then
    Mirror mirror_;
    ListView list_;
    TextView page_;
    std::string page_title_;
    TextView messages_;
    bool show_log_ = false;
    SettingsView settings_;
    std::string set_key_;  ///< that was sent and is not yet answered
    std::optional<LineEditor> editor_;
    std::string editor_option_;
    std::string editor_title_;
    ProgressView progress_;
    Mode mode_ = Mode::list;
    std::optional<Sentence> notice_;

    bool connected_ = false;
    bool whole_ = false;  ///< the first change has come
    std::string unreachable_reason_;
    bool plain_ = false;  ///< the screen is left; plain lines are printed
    bool stop_sent_ = false;
    bool stop_wanted_ = false;  ///< a key came while devices were still looked for
    Instant received_at_{};
    std::uint64_t countdown_total_ms_ = 0;
};

}  // namespace stillboot::menu
