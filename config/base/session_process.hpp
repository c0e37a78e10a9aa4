// SPDX-License-Identifier: Apache-2.0
// Running an administrator's program: in a session of its own, with just the environment it is given, its output
// line by line.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "config/base/result.hpp"

namespace stillboot {

struct SessionCommand {
    std::vector<std::string> argv;         ///< argv[0] is a path
    std::vector<std::string> environment;  ///< "NAME=VALUE": all that it has
    std::chrono::milliseconds deadline{30'000};
    std::size_t max_line_bytes = 1000;  ///< the rest of a line is dropped
    std::size_t max_lines = 200;        ///< what comes after is read and dropped
    /// Each line of stdout and stderr as it comes, without its end.
    std::function<void(const std::string&)> on_line = [](const std::string&) {};
    std::stop_token stop;
};

struct SessionOutcome {
    enum class End { exited, signalled, deadline, stopped };

    End end = End::exited;
    int status = 0;  ///< that it exited with, or the signal that ended it
    std::string last_line;
    std::uint64_t dropped_lines = 0;

    [[nodiscard]] bool ok() const { return end == End::exited && status == 0; }
};

/// Runs a program in "/" with /dev/null for its input, until it ends, the deadline is over or a stop is asked for.
/// What it has started in its session's process group ends with it, whichever of these comes: nothing that it left
/// running is waited for. Blocking. @error base.spawn_failed
Result<SessionOutcome> run_session(const SessionCommand& command);

}  // namespace stillboot
