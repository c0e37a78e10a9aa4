// SPDX-License-Identifier: Apache-2.0
// Carrying the daemon's socket over standard input and output, for ssh.
#pragma once

#include <string>

#include "config/base/result.hpp"

namespace stillboot::cli {

/// Copies both ways between a Unix socket and two descriptors, until the daemon closes, or nobody takes what it
/// says. The end of `in` ends only what goes to the daemon. Holds 4 KiB each way. Blocking. @error
/// daemon.unreachable
Result<void> bridge(const std::string& path, int in, int out);

}  // namespace stillboot::cli
