// SPDX-License-Identifier: Apache-2.0
// From messages to entries, and from entries to lines.
#include "daemon/loop/log_line.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "config/base/utf8.hpp"

namespace stillboot {
namespace {

namespace json = boost::json;

std::size_t bytes_of(const std::vector<Message::Param>& params) {
    std::size_t bytes = 0;
    for (const auto& param : params) {
        bytes += sizeof param + param.name.size() + param.value.size();
    }
    return bytes;
}

std::string serialized(const LogEntry& entry, std::string_view text, bool with_params) {
    json::object line = {{"time_ms", entry.time_ms},
                         {"seq", entry.seq},
                         {"severity", to_word(entry.level)},
                         {"code", valid_utf8(entry.code)},
                         {"text", valid_utf8(text)}};
    if (with_params) {
        json::object& params = line["parameters"].emplace_object();
        for (const auto& param : entry.params) {
            params[valid_utf8(param.name)] = one_line(valid_utf8(param.value));
        }
    }
    return json::serialize(line);
}

}  // namespace

std::size_t LogEntry::bytes() const {
    return sizeof *this + text.size() + code.size() + bytes_of(params);
}

std::string one_line(std::string text) {
    if (text.size() > max_log_line_bytes) {
        text.resize(max_log_line_bytes);
    }
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            c = '?';
        }
    }
    return text;
}

LogEntry entry_of(LogLevel level, const Message& message) {
    LogEntry entry;
    entry.level = level;
    entry.text = one_line(message.sentence());
    entry.code = message.code();
    if (bytes_of(message.params()) <= max_log_line_bytes) {
        entry.params = message.params();
    }
    return entry;
}

int syslog_level(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return 7;
        case LogLevel::info: return 6;
        case LogLevel::warning: return 4;
        case LogLevel::error: return 3;
    }
    return 6;
}

std::string json_line(const LogEntry& entry, std::size_t max_bytes) {
    std::string line = serialized(entry, entry.text, true);
    std::string_view text = entry.text;
    if (line.size() > max_bytes) {
        line = serialized(entry, text, false);
    }
    while (line.size() > max_bytes && !text.empty()) {
        constexpr std::size_t most_for_one_byte = 3;  // what is no UTF-8 is written as three bytes
        const std::size_t too_much = (line.size() - max_bytes + most_for_one_byte - 1) / most_for_one_byte;
        text.remove_suffix(std::min(too_much, text.size()));
        line = serialized(entry, text, false);
    }
    return line;
}

}  // namespace stillboot
