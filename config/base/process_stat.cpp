// SPDX-License-Identifier: Apache-2.0
// Fields of /proc/PID/stat, counted from the end of the name.
#include "config/base/process_stat.hpp"

#include <charconv>

namespace stillboot {
namespace {

// Cuts the field before the next blank off the rest; empty where no blank is left.
std::string_view take_field(std::string_view& rest) {
    const std::size_t end = rest.find(' ');
    if (end == rest.npos) {
        return {};
    }
    const std::string_view field = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return field;
}

bool read_number(std::string_view field, int& number) {
    const char* const past = field.data() + field.size();
    const auto [end, failure] = std::from_chars(field.data(), past, number);
    return failure == std::errc() && end == past;
}

}  // namespace

std::optional<ProcessStat> process_stat_of(std::string_view text) {
    // The name may hold blanks and parentheses itself; no field after it does.
    constexpr std::string_view name_end = ") ";
    const std::size_t close = text.rfind(name_end);
    if (close == text.npos) {
        return std::nullopt;
    }
    text.remove_prefix(close + name_end.size());
    ProcessStat stat;
    const std::string_view state = take_field(text);
    const bool has_parent = read_number(take_field(text), stat.parent);
    take_field(text);  // the process group
    take_field(text);  // the session
    const bool has_terminal = read_number(take_field(text), stat.terminal);
    if (state.size() != 1 || !has_parent || !has_terminal) {
        return std::nullopt;
    }
    stat.state = state.front();
    return stat;
}

}  // namespace stillboot
