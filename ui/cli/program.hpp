// SPDX-License-Identifier: Apache-2.0
// The whole program, less the process around it.
#pragma once

#include <string>
#include <vector>

#include "ui/cli/context.hpp"

namespace stillboot::cli {

/// Reads the command line (without the program's name) and does what it says. The context's streams are used;
/// its json, socket and root are set from the options.
/// Blocking: as long as the verb takes; `list --watch` and `log --follow` until the daemon goes away.
[[nodiscard]] ExitCode run_program(std::vector<std::string> arguments, Context& context);

}  // namespace stillboot::cli
