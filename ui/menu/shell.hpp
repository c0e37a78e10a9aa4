// SPDX-License-Identifier: Apache-2.0
// A shell on the terminal of the menu.
#pragma once

#include <sys/types.h>
#include <chrono>
#include <string>

#include "config/base/result.hpp"
#include "config/base/unique_fd.hpp"

namespace stillboot::menu {

struct Shell {
    pid_t pid = -1;
    UniqueFd ended;  ///< a pidfd: readable once the shell has ended
};

/// Starts a program on standard input and output, as a foreground job of its own where the terminal knows jobs.
/// @param idle  without a key, until it ends by itself, as far as it knows TMOUT (bash does, and busybox where it
/// was built so); 0: never
/// @error ui.shell_failed
Result<Shell> start_shell(const std::string& path, std::chrono::seconds idle);
/// Reaps it and takes the terminal back.
void finish_shell(const Shell& shell);

}  // namespace stillboot::menu
