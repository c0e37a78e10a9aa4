// SPDX-License-Identifier: Apache-2.0
// The places that events are told to.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>

#include "config/base/result.hpp"
#include "config/base/unique_fd.hpp"
#include "config/model/event_sink.hpp"
#include "daemon/events/event.hpp"

namespace stillboot::events {

/// The port to one place. Blocking; used on one thread.
class Sink {
public:
    virtual ~Sink() = default;
    /// @error why the line was not taken: it is tried again later
    virtual Result<void> send(const Line& line) = 0;
    /// What was sent is where it stays. What cannot be told of a place counts as done.
    virtual void sync() {}
};

/// Appends to a file, or writes to a character device (a serial line). Opened for each line, so that a file may be
/// taken away at any time. @error base.open_failed, base.write_failed
class FileSink final : public Sink {
public:
    explicit FileSink(std::string path) : path_(std::move(path)) {}
    Result<void> send(const Line& line) override;
    void sync() override;

private:
    std::string path_;
};

/// Lines on the standard input of a program in a session of its own, started when there is something to tell, and
/// again after it has ended. @error base.spawn_failed, base.write_failed, daemon.events_started_too_often
class ProgramSink final : public Sink {
public:
    static constexpr std::size_t max_starts = 3;  ///< in a minute
    explicit ProgramSink(std::string path) : path_(std::move(path)) {}
    /// Closes its input; kills it where it does not end by that within two seconds.
    ~ProgramSink() override;
    Result<void> send(const Line& line) override;
    /// Waits, a second at most, until the program has read all.
    void sync() override;

private:
    Result<void> start();
    void end(std::chrono::milliseconds patience);

    std::string path_;
    pid_t pid_ = -1;
    UniqueFd input_;
    std::deque<std::chrono::steady_clock::time_point> starts_;
};

/// A datagram a line: to /dev/log as syslog(3) writes it, or by UDP with the header of RFC 5424.
/// @error daemon.events_not_sent
class SyslogSink final : public Sink {
public:
    explicit SyslogSink(EventSinkName to, std::string socket = "/dev/log")
        : to_(std::move(to)), socket_(std::move(socket)) {}
    Result<void> send(const Line& line) override;

private:
    EventSinkName to_;
    std::string socket_;
};

/// "<30>Jan 31 12:00:00 stillbootd[7]: {…}".
[[nodiscard]] std::string local_datagram(const Line& line, std::time_t now, pid_t pid);
/// "<30>1 2026-01-31T12:00:00.007Z machine stillbootd 7 boot-begun - {…}" (RFC 5424, facility daemon)
[[nodiscard]] std::string rfc5424_datagram(const Line& line, pid_t pid);

[[nodiscard]] std::unique_ptr<Sink> open_sink(const EventSinkName& name);

}  // namespace stillboot::events
