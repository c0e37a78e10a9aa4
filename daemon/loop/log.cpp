// SPDX-License-Identifier: Apache-2.0
// Where log lines go.
#include "daemon/loop/log.hpp"

#include <fcntl.h>

#include <chrono>

namespace stillboot {
namespace {

// <level> of syslog(2), which /dev/kmsg and journald both read.
int syslog_level(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return 7;
        case LogLevel::info: return 6;
        case LogLevel::warning: return 4;
        case LogLevel::error: return 3;
    }
    return 6;
}

// One line, whatever a disk's title or a path holds.
std::string one_line(std::string text) {
    if (text.size() > Log::max_line_bytes) {
        text.resize(Log::max_line_bytes);
    }
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            c = '?';
        }
    }
    return text;
}

}  // namespace

Log::Log(Sink sink, LogLevel least) : sink_(sink), least_(least) {
    if (sink == Sink::kmsg) {
        kmsg_ = UniqueFd(::open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY));
        sink_ = kmsg_ ? Sink::kmsg : Sink::stderr_stream;
    }
}

void Log::say(LogLevel level, const Message& message) {
    if (level < least_) {
        return;
    }
    LogEntry entry;
    entry.seq = next_seq_++;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    entry.time_ms = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    entry.level = level;
    entry.text = one_line(message.sentence());
    write(entry);
    lines_.push_back(entry);
    if (lines_.size() > max_lines) {
        lines_.pop_front();
    }
    if (listener_) {
        listener_(entry);
    }
}

void Log::write(const LogEntry& entry) {
    if (sink_ == Sink::none) {
        return;
    }
    const bool to_kernel = sink_ == Sink::kmsg;
    std::string line = to_kernel ? "<" + std::to_string(syslog_level(entry.level)) + ">" : "";
    line += "stillbootd: " + entry.text + "\n";
    // A log that cannot be written is no reason to stop, and there is nowhere left to say so.
    [[maybe_unused]] const ssize_t written =
        ::write(to_kernel ? kmsg_.get() : STDERR_FILENO, line.data(), line.size());
}

}  // namespace stillboot
