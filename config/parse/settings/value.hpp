// SPDX-License-Identifier: Apache-2.0
// One value of a setting, wherever it was written, and the table of what may be set.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/message.hpp"
#include "config/model/settings.hpp"

namespace stillboot {

/// A value in each of the forms it can be read in. The command line has only text, so there "2" is a number, a
/// word and a list of one.
struct SettingValue {
    std::optional<std::int64_t> number;
    std::optional<std::string> word;
    std::optional<std::vector<std::string>> list;
    std::string written;  ///< as it was written, for messages
};

/// Sets `key` ("timeout", "probe.parallel") where the value is accepted. Otherwise nothing changes, and the
/// message says why: config.setting_unknown, or the code of that setting.
[[nodiscard]] std::optional<Message> apply_setting(Settings& settings, std::string_view key,
                                                   const SettingValue& value, const Origin& origin);

/// What people may see of a value, as list_settings() would have it: of a secret only "set" or "none". What would
/// not be accepted stays as it is.
[[nodiscard]] std::string shown_value(std::string_view key, const std::string& value);

/// Whether the value of a setting is shown to nobody.
[[nodiscard]] bool is_secret(std::string_view key);

/// Whether a setting says who may do everything at a console: only who may do everything may change it.
[[nodiscard]] bool guards_consoles(std::string_view key);

/// A value of a text, as the kernel command line has it: lists are split at commas.
[[nodiscard]] SettingValue value_of_text(const std::string& text);

inline constexpr std::size_t max_said_bytes = 4096;  ///< of one value that is not in a file

/// Why a setting cannot be changed while the machine runs; nothing where it can: config.setting_unknown,
/// config.setting_at_start.
[[nodiscard]] std::optional<Message> check_key(std::string_view key);

/// The same for one value: those of check_key(), config.setting_too_long, or the code of that setting.
[[nodiscard]] std::optional<Message> check_setting(const Settings& settings, const SettingText& said);

/// One setting for people to see.
struct SettingView {
    std::string_view key;
    std::string value;  ///< as SettingText has it, or what shown_value() says in its place
    Origin origin;
    bool any_time = false;  ///< may be set while the machine runs
};

/// Where a setting's value comes from; none where there is no such setting.
[[nodiscard]] std::optional<Origin> origin_of_setting(Settings settings, std::string_view key);

/// All settings, in the order of stillboot.toml(5).
[[nodiscard]] std::vector<SettingView> list_settings(Settings settings);

}  // namespace stillboot
