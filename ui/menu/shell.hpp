// SPDX-License-Identifier: Apache-2.0
// A shell on the terminal of the menu.
#pragma once

#include <sys/types.h>
#include <chrono>
#include <cstdint>
#include <string>

#include "config/base/result.hpp"
#include "config/base/unique_fd.hpp"

namespace stillboot::menu {

struct Shell {
    pid_t pid = -1;
    UniqueFd ended;  ///< a pidfd: readable once the shell has ended
};

/// Starts a program on standard input and output, as a foreground job of its own where the terminal knows jobs.
/// @error ui.shell_failed
Result<Shell> start_shell(const std::string& path);
/// Reaps it and takes the terminal back.
void finish_shell(const Shell& shell);

/// Whether somebody is at a shell. TMOUT would say it of bash alone; busybox is not built with it in Debian.
class ShellUse {
public:
    using Instant = std::chrono::steady_clock::time_point;
    ShellUse(pid_t shell, Instant now);
    /// The last moment at which somebody may have been there, as far as was looked. Who runs a program in the
    /// shell is there.
    Instant look(Instant now);
    /// Ends the shell as a terminal that is gone does.
    void hang_up() const;

private:
    pid_t shell_;
    Instant last_;
    std::int64_t read_at_ = 0;
};

}  // namespace stillboot::menu
