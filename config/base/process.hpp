// SPDX-License-Identifier: Apache-2.0
// Running another program to its end, with a deadline and a bound on what it may print.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "config/base/result.hpp"

namespace stillboot {

struct Command {
    std::vector<std::string> argv;                   ///< argv[0] is looked up in PATH
    std::chrono::milliseconds deadline{10'000};      ///< then SIGKILL
    std::size_t max_output_bytes = 64 * 1024;        ///< stdout and stderr together; the rest is dropped
};

struct ProcessOutcome {
    int exit_status = -1;  ///< 0..255, or -1 where a signal ended it
    int signal = 0;        ///< the signal that ended it, or 0
    std::string output;    ///< stdout and stderr, as they came

    [[nodiscard]] bool ok() const { return exit_status == 0; }
};

/// The port for programs that we run rather than link (kexec, mdadm, …). Blocking.
class ProcessRunner {
public:
    virtual ~ProcessRunner() = default;
    /// @error base.spawn_failed, base.child_timed_out
    virtual Result<ProcessOutcome> run(const Command& command) = 0;
};

class SystemProcessRunner final : public ProcessRunner {
public:
    Result<ProcessOutcome> run(const Command& command) override;
};

/// Waits for a child through its pidfd, at most until the deadline. True when it has ended; it is then still
/// to be reaped by waitid(2).
[[nodiscard]] bool wait_for_exit(int pidfd, std::chrono::milliseconds deadline);

}  // namespace stillboot
