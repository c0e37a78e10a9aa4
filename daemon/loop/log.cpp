// SPDX-License-Identifier: Apache-2.0
// Where log lines go.
#include "daemon/loop/log.hpp"

#include <fcntl.h>

#include <chrono>

#include "config/base/unique_fd.hpp"

namespace stillboot {
namespace {

constexpr std::size_t max_kmsg_bytes = 900;  // of the 1024 that one record holds, more of which is refused
constexpr std::size_t max_json_bytes = 4096;
constexpr int facility = 3 << 3;  // daemon

// Opened for each line: the kernel drops what is more than 10 lines in 5 s of one descriptor, and what is said
// here often has its bounds already.
UniqueFd open_kmsg() {
    return UniqueFd(::open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY));
}

}  // namespace

Log::Log(Sink sink, LogLevel least, LogFormat format) : sink_(sink), least_(least), format_(format) {
    if (sink == Sink::kmsg && !open_kmsg()) {
        sink_ = Sink::stderr_stream;
    }
}

void Log::say(LogLevel level, const Message& message) {
    LogEntry entry = entry_of(level, message);
    entry.seq = next_seq_++;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    entry.time_ms = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    if (level >= least_) {
        write(entry);
    }
    keep(entry);
    if (listener_) {
        listener_(entry);
    }
}

void Log::keep(LogEntry entry) {
    bytes_ += entry.bytes();
    lines_.push_back(std::move(entry));
    while (lines_.size() > max_lines || bytes_ > max_bytes) {
        bytes_ -= lines_.front().bytes();
        lines_.pop_front();
    }
}

void Log::write(const LogEntry& entry) {
    if (sink_ == Sink::none) {
        return;
    }
    const bool to_kernel = sink_ == Sink::kmsg;
    const UniqueFd kmsg = to_kernel ? open_kmsg() : UniqueFd();
    std::string line = to_kernel ? "<" + std::to_string(facility | syslog_level(entry.level)) + ">" : "";
    if (format_ == LogFormat::json) {
        line += json_line(entry, to_kernel ? max_kmsg_bytes : max_json_bytes);
    } else {
        line += "stillbootd: " + (to_kernel ? entry.text.substr(0, max_kmsg_bytes) : entry.text);
    }
    line += "\n";
    // A log that cannot be written is no reason to stop, and there is nowhere left to say so.
    [[maybe_unused]] const ssize_t written =
        ::write(to_kernel ? kmsg.get() : STDERR_FILENO, line.data(), line.size());
}

}  // namespace stillboot
