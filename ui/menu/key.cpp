// SPDX-License-Identifier: Apache-2.0
// The key table.
#include "ui/menu/key.hpp"

#include <algorithm>

namespace stillboot::menu {
namespace {

constexpr Binding table[] = {
    {Command::boot, Key::enter, "", "Enter", "Boot", "boot the highlighted entry now"},
    {Command::edit, Key::f2, "e", "e", "Edit", "edit the command line of the entry, then boot it"},
    {Command::details, Key::f3, "d", "d", "Details", "what the entry boots, and where it is written"},
    {Command::messages, Key::f4, "m", "m", "Messages", "what was wrong with configurations, and the log"},
    {Command::help, Key::f1, "h?", "h", "Help", "this help"},
    {Command::rescan, Key::f5, "r", "r", "Rescan", "look at all devices again"},
    {Command::shell, Key::f6, "s", "s", "Shell", "open a shell; leave it to come back here"},
    {Command::restart, Key::f8, "t", "t", "Restart", "restart the machine (asks first)"},
    {Command::power_off, Key::f9, "p", "p", "Off", "switch the machine off (asks first)"},
    {Command::quit, Key::f10, "q", "q", "Quit", "leave the menu; nothing is booted"},
    {Command::settings, Key::f7, "c", "c", "Settings", "see and change the settings"},
    {Command::lock, Key::none, "l", "l", "Lock", "lock this console now, or give its password"},
    {Command::system, Key::none, "i", "i", "System", "what machine this is: firmware, memory, network"},
};

Command movement(const KeyPress& press) {
    switch (press.key) {
        case Key::up: return Command::up;
        case Key::down: return Command::down;
        case Key::page_up: return Command::page_up;
        case Key::page_down: return Command::page_down;
        case Key::home: return Command::home;
        case Key::end: return Command::end;
        case Key::left:
        case Key::backspace:
        case Key::escape: return Command::back;
        case Key::right: return Command::details;
        case Key::tab: return Command::next_tab;
        case Key::erase: return Command::forget;
        default: return Command::none;
    }
}

Command letter(std::string_view text) {
    if (text == "k") {
        return Command::up;
    }
    if (text == "j") {
        return Command::down;
    }
    if (text == "g") {
        return Command::home;
    }
    if (text == "G") {
        return Command::end;
    }
    return text == " " ? Command::page_down : Command::none;
}

Command control(std::string_view text) {
    if (text == "b") {
        return Command::page_up;
    }
    if (text == "f") {
        return Command::page_down;
    }
    if (text == "p") {
        return Command::up;
    }
    if (text == "n") {
        return Command::down;
    }
    if (text == "c") {
        return Command::quit;
    }
    return text == "l" ? Command::redraw : Command::none;
}

}  // namespace

std::span<const Binding> bindings() {
    return table;
}

Command command_for(const KeyPress& press) {
    const auto calls = [&](const Binding& binding) {
        return press.key == Key::character
                   ? press.text.size() == 1 && binding.letters.find(press.text) != std::string_view::npos
                   : press.key == binding.key;
    };
    const auto* found = std::find_if(std::begin(table), std::end(table), calls);
    if (found != std::end(table)) {
        return found->command;
    }
    if (press.key == Key::character) {
        return letter(press.text);
    }
    return press.key == Key::control ? control(press.text) : movement(press);
}

}  // namespace stillboot::menu
