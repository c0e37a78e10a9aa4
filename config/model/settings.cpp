// SPDX-License-Identifier: Apache-2.0
// Words of the settings.
#include "config/model/settings.hpp"

namespace stillboot {

std::string Origin::text() const {
    if (is_default()) {
        return "built-in default";
    }
    return line == 0 ? file : file + ":" + std::to_string(line);
}

void put_text(std::vector<SettingText>& texts, const std::string& key, const std::optional<std::string>& value) {
    std::erase_if(texts, [&](const SettingText& each) { return each.key == key; });
    if (value) {
        texts.push_back({key, *value});
    }
}

std::string_view to_word(Trial trial) {
    switch (trial) {
        case Trial::automatic: return "auto";
        case Trial::always: return "always";
        case Trial::never: return "never";
    }
    return "auto";
}

std::string_view to_word(Moving moving) {
    switch (moving) {
        case Moving::refuse: return "refuse";
        case Moving::allow: return "allow";
    }
    return "refuse";
}

std::string_view to_word(OnHang on_hang) {
    switch (on_hang) {
        case OnHang::restart: return "restart";
        case OnHang::power_cycle: return "power-cycle";
        case OnHang::watchdog: return "watchdog";
        case OnHang::menu: return "menu";
    }
    return "restart";
}

std::string_view to_word(QuiesceMode mode) {
    switch (mode) {
        case QuiesceMode::remove: return "remove";
        case QuiesceMode::minimal: return "minimal";
        case QuiesceMode::off: return "off";
    }
    return "remove";
}

std::string_view to_word(AfterTrouble after) {
    switch (after) {
        case AfterTrouble::jump: return "jump";
        case AfterTrouble::restart: return "restart";
    }
    return "jump";
}

std::string_view to_word(FinalAction action) {
    switch (action) {
        case FinalAction::menu: return "menu";
        case FinalAction::shell: return "shell";
        case FinalAction::reboot: return "reboot";
        case FinalAction::power_off: return "poweroff";
    }
    return "menu";
}

std::string_view to_word(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return "debug";
        case LogLevel::info: return "info";
        case LogLevel::warning: return "warning";
        case LogLevel::error: return "error";
    }
    return "info";
}

}  // namespace stillboot
