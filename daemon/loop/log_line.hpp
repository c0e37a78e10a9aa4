// SPDX-License-Identifier: Apache-2.0
// One entry of the log, and the line that it is in a file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/message.hpp"
#include "config/model/settings.hpp"

namespace stillboot {

enum class LogFormat { text, json };

struct LogEntry {
    std::uint64_t seq = 0;
    std::uint64_t time_ms = 0;  ///< since the epoch
    LogLevel level = LogLevel::info;
    std::string text;  ///< the sentence, on one line
    std::string code;
    std::vector<Message::Param> params;  ///< none where they are longer than a line may be

    /// What it takes in memory, about.
    [[nodiscard]] std::size_t bytes() const;
};

inline constexpr std::size_t max_log_line_bytes = 1000;

/// The text cut to max_log_line_bytes, control characters replaced: one line, whatever a disk's title or a path
/// holds.
[[nodiscard]] std::string one_line(std::string text);

/// The message as an entry, without its number and its time.
[[nodiscard]] LogEntry entry_of(LogLevel level, const Message& message);

/// <level> of syslog(2), which /dev/kmsg, journald and syslog servers read.
[[nodiscard]] int syslog_level(LogLevel level);

/// {"time_ms":…,"seq":…,"severity":"info","code":"daemon.said","text":…,"parameters":{…}} without a newline. What
/// would be longer than max_bytes goes without its parameters, and where that is not enough with its text cut.
[[nodiscard]] std::string json_line(const LogEntry& entry, std::size_t max_bytes);

}  // namespace stillboot
