// SPDX-License-Identifier: Apache-2.0
// The daemon's log: lines to stderr or the kernel's ring, and the last of them kept for clients.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "config/base/message.hpp"
#include "daemon/loop/log_line.hpp"

namespace stillboot {

/// Keeps the last lines, at most max_lines and about max_bytes, whatever of them the sink is given. Thread: the
/// loop's alone.
class Log {
public:
    static constexpr std::size_t max_lines = 1000;
    static constexpr std::size_t max_bytes = std::size_t{192} * 1024;
    using Listener = std::function<void(const LogEntry&)>;

    enum class Sink { none, stderr_stream, kmsg };
    /// @param least of what the sink is given
    Log(Sink sink, LogLevel least, LogFormat format = LogFormat::text);

    /// Keeps a message, and writes it where it is not below the least level.
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
    void keep(LogEntry entry);
    void write(const LogEntry& entry);

    Sink sink_;
    LogLevel least_;
    LogFormat format_;
    std::uint64_t next_seq_ = 1;
    std::deque<LogEntry> lines_;
    std::size_t bytes_ = 0;
    Listener listener_;
};

}  // namespace stillboot
