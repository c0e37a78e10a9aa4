// SPDX-License-Identifier: Apache-2.0
// TOML text as flat lists of keys and values, with positions; the one place that knows the TOML library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/diagnostic.hpp"
#include "config/parse/settings/value.hpp"

namespace stillboot {

struct TomlItem {
    std::string key;  ///< with the tables around it: "probe.parallel"
    SettingValue value;
    std::uint32_t line = 0;    ///< of the value
    std::uint32_t column = 0;  ///< of the value, in bytes
};

struct TomlItems {
    std::vector<TomlItem> items;  ///< in the order of the text
    std::vector<Diagnostic> diagnostics;
};

/// Reads TOML 1.0. A line that is none is said (config.toml_syntax), left out, and the rest is read.
/// Limits: after 16 such lines the whole text is left out.
[[nodiscard]] TomlItems read_toml(std::string_view file, std::string text);

/// One table of an array of tables: what stands below one [[rule]].
struct TomlTable {
    std::vector<TomlItem> items;  ///< in the order of the text; keys without the array's name
    std::uint32_t line = 0;       ///< where the table begins
    std::uint32_t column = 0;
};

struct TomlTables {
    std::vector<TomlTable> tables;  ///< in the order of the text
    std::vector<TomlItem> others;   ///< what stands outside of them
    std::vector<Diagnostic> diagnostics;
};

/// Reads TOML 1.0 whose one array of tables has the given name. A line that is no TOML is said
/// (config.toml_not_toml); where there is one, nothing of the text is returned.
/// Limits: after 16 such lines the rest is not looked at.
[[nodiscard]] TomlTables read_toml_tables(std::string_view file, std::string text, std::string_view name);

}  // namespace stillboot
