// SPDX-License-Identifier: Apache-2.0
// TOML by tomlplusplus, which stops at the first error: its line is blanked and the text is read again.
#include "config/parse/settings/toml.hpp"

#include <algorithm>
#include <sstream>

// A bad file must end in an error, not in abort(): the assertions of version 3.3 do not hold for "[\npara#", and
// with NDEBUG it would have the compiler rely on them. Without either, the code behind them reports the error.
#undef NDEBUG
#define TOML_ASSERT(expr) static_assert(true)
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 1
#include <toml++/toml.h>

namespace stillboot {
namespace {

constexpr int max_bad_lines = 16;

/// The bounds of a line, counted from 1, in the text.
std::pair<std::size_t, std::size_t> bounds_of_line(std::string_view text, std::uint32_t line) {
    std::size_t start = 0;
    for (std::uint32_t at = 1; at < line; ++at) {
        const std::size_t newline = text.find('\n', start);
        if (newline == text.npos) {
            return {text.size(), text.size()};
        }
        start = newline + 1;
    }
    return {start, std::min(text.find('\n', start), text.size())};
}

/// The library counts code points, a diagnostic bytes.
std::uint32_t byte_column(std::string_view text, const toml::source_position& position) {
    const auto [start, end] = bounds_of_line(text, position.line);
    std::uint32_t points = 0;
    std::size_t at = start;
    for (; at < end; ++at) {
        const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
        points += begins ? 1U : 0U;
        if (points == position.column) {
            break;
        }
    }
    return static_cast<std::uint32_t>(at - start + 1);
}

std::string as_written(const toml::node& node) {
    std::ostringstream out;
    node.visit([&](const auto& each) { out << each; });
    return out.str();
}

SettingValue value_of(const toml::node& node) {
    SettingValue value;
    value.written = as_written(node);
    value.number = node.value_exact<std::int64_t>();
    value.word = node.value_exact<std::string>();
    const toml::array* array = node.as_array();
    if (value.word) {
        value.list = {*value.word};
    } else if (array != nullptr && std::all_of(array->begin(), array->end(),
                                               [](const toml::node& each) { return each.is_string(); })) {
        value.list.emplace();
        for (const toml::node& each : *array) {
            value.list->push_back(*each.value_exact<std::string>());
        }
    }
    return value;
}

void flatten(const toml::table& table, const std::string& prefix, std::string_view text,
             std::vector<TomlItem>& items) {
    for (const auto& [key, node] : table) {
        const std::string name = prefix + std::string(key.str());
        if (const toml::table* inner = node.as_table()) {
            flatten(*inner, name + ".", text, items);
            continue;
        }
        const toml::source_position begin = node.source().begin;
        items.push_back({name, value_of(node), begin.line, byte_column(text, begin)});
    }
}

/// The end of a string that begins at `at`, or of its line where nothing ends it.
std::size_t end_of_string(std::string_view text, std::size_t at) {
    const char quote = text[at];
    const bool multi_line = text.substr(at, 3) == std::string(3, quote);
    const std::string end(multi_line ? 3 : 1, quote);
    for (at += end.size(); at < text.size(); ++at) {
        if (text.substr(at, end.size()) == end) {
            return at + end.size();
        }
        if (text[at] == '\\' && quote == '"') {
            ++at;
        } else if (text[at] == '\n' && !multi_line) {
            return at;
        }
    }
    return text.size();
}

/// Whether a quote at `at` begins a string: at the start of a line, or behind what a key or a value may follow.
/// Anywhere else, as in x = 1"a", the library reads on as if it were none.
bool begins_string(std::string_view text, std::size_t at) {
    const std::size_t before = text.substr(0, at).find_last_not_of(" \t");
    return before == text.npos || std::string_view("\n=[,{").find(text[before]) != std::string_view::npos;
}

/// The first byte outside of strings and comments that is no ASCII, or npos. TOML has none there, but
/// tomlplusplus 3.3 runs into undefined behaviour at some (U+00E4) instead of refusing them.
std::size_t find_bare_non_ascii(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        if (text[at] == '#') {
            at = std::min(text.find('\n', at), text.size());
        } else if ((text[at] == '"' || text[at] == '\'') && begins_string(text, at)) {
            at = end_of_string(text, at);
        } else if ((static_cast<unsigned char>(text[at]) & 0x80U) != 0) {
            return at;
        } else {
            ++at;
        }
    }
    return std::string_view::npos;
}

toml::source_position position_of(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const auto newlines = std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    return {static_cast<std::uint32_t>(newlines + 1), static_cast<std::uint32_t>(offset - line_start + 1)};
}

/// Overwrites the last line that is not blank, at or before the given one. False where there is none.
bool blank_line(std::string& text, std::uint32_t line) {
    for (; line > 0; --line) {
        const auto [start, end] = bounds_of_line(text, line);
        const auto from = text.begin() + static_cast<std::ptrdiff_t>(start);
        const auto to = text.begin() + static_cast<std::ptrdiff_t>(end);
        if (std::any_of(from, to, [](char c) { return c != ' '; })) {
            std::fill(from, to, ' ');
            return true;
        }
    }
    return false;
}

}  // namespace

TomlItems read_toml(std::string_view file, std::string text) {
    TomlItems out;
    for (int bad_lines = 0; bad_lines < max_bad_lines; ++bad_lines) {
        if (const std::size_t bare = find_bare_non_ascii(text); bare != std::string_view::npos) {
            const toml::source_position where = position_of(text, bare);
            out.diagnostics.emplace_back(Severity::error, std::string(file), where.line, where.column,
                                         Message("config.toml_not_ascii"));
            (void)blank_line(text, where.line);
            continue;
        }
        const toml::parse_result result = toml::parse(text, file);
        if (result.succeeded()) {
            flatten(result.table(), "", text, out.items);
            std::sort(out.items.begin(), out.items.end(), [](const TomlItem& a, const TomlItem& b) {
                return std::pair(a.line, a.column) < std::pair(b.line, b.column);
            });
            return out;
        }
        const toml::parse_error& error = result.error();
        const toml::source_position begin = error.source().begin;
        out.diagnostics.emplace_back(Severity::error, std::string(file), begin.line, byte_column(text, begin),
                                     Message("config.toml_syntax", {{"detail", error.description()}}));
        if (!blank_line(text, begin.line)) {
            break;
        }
    }
    out.diagnostics.emplace_back(Severity::error, std::string(file), 0, 0, Message("config.toml_given_up"));
    return out;
}

}  // namespace stillboot
