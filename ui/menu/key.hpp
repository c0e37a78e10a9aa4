// SPDX-License-Identifier: Apache-2.0
// Keys as the view model knows them, and what each does.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace stillboot::menu {

enum class Key {
    none,
    character,  ///< text holds it, in UTF-8
    control,    ///< text holds the letter, in lower case
    enter,
    escape,
    up,
    down,
    left,
    right,
    page_up,
    page_down,
    home,
    end,
    backspace,
    erase,  ///< the key named Delete
    tab,
    f1,
    f2,
    f3,
    f4,
    f5,
    f6,
    f7,
    f8,
    f9,
    f10,
};

struct KeyPress {
    Key key = Key::none;
    std::string text;

    bool operator==(const KeyPress&) const = default;
};

enum class Command {
    none,
    up,
    down,
    page_up,
    page_down,
    home,
    end,
    boot,
    edit,
    details,
    messages,
    rescan,
    settings,
    system,
    forget,
    shell,
    lock,
    restart,
    power_off,
    help,
    quit,
    back,
    next_tab,
    redraw,
};

/// A function of the menu, with the keys that call it.
struct Binding {
    Command command;
    Key key;                   ///< Enter, a function key, or none
    std::string_view letters;  ///< any of these calls it too
    std::string_view name;     ///< the key as the bar at the bottom writes it
    std::string_view label;    ///< one word for the bar
    std::string_view help;     ///< what the help screen says
};

/// Every function, in the order of the bar. Lifetime: static.
[[nodiscard]] std::span<const Binding> bindings();

/// What a key does in a list or a text to scroll. No upper-case letter of a cursor key's escape sequence
/// (A to D, F, H, O to S) does anything: a slow line may deliver a sequence in pieces.
[[nodiscard]] Command command_for(const KeyPress& press);

}  // namespace stillboot::menu
