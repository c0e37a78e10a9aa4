// SPDX-License-Identifier: Apache-2.0
// The daemon's log: lines to stderr or the kernel's ring, and the last of them kept for clients.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "config/base/message.hpp"
#include "config/base/unique_fd.hpp"
#include "config/model/settings.hpp"

namespace stillboot {

struct LogEntry {
    std::uint64_t seq = 0;
    std::uint64_t time_ms = 0;  ///< since the epoch
    LogLevel level = LogLevel::info;
    std::string text;
};

/// Keeps at most max_lines lines of at most max_line_bytes each. Thread: the loop's alone.
class Log {
public:
    static constexpr std::size_t max_lines = 400;
    static constexpr std::size_t max_line_bytes = 1000;
    using Listener = std::function<void(const LogEntry&)>;

    enum class Sink { none, stderr_stream, kmsg };
    Log(Sink sink, LogLevel least);

    /// Writes a message as its sentence, and keeps it. What is below the least level is dropped.
    void say(LogLevel level, const Message& message);
    void debug(const Message& message) { say(LogLevel::debug, message); }
    void info(const Message& message) { say(LogLevel::info, message); }
    void warning(const Message& message) { say(LogLevel::warning, message); }
    void error(const Message& message) { say(LogLevel::error, message); }

    void set_least(LogLevel least) { least_ = least; }
    /// Called with each new line. One listener.
    void listen(Listener listener) { listener_ = std::move(listener); }
    [[nodiscard]] const std::deque<LogEntry>& lines() const { return lines_; }

private:
    void write(const LogEntry& entry);

    Sink sink_;
    LogLevel least_;
    UniqueFd kmsg_;
    std::uint64_t next_seq_ = 1;
    std::deque<LogEntry> lines_;
    Listener listener_;
};

}  // namespace stillboot
