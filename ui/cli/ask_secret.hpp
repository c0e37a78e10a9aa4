// SPDX-License-Identifier: Apache-2.0
// Asking for a text that nobody may read over a shoulder.
#pragma once

#include <string>

#include "config/base/result.hpp"

namespace stillboot::cli {

/// Whether somebody types, and is to be asked.
[[nodiscard]] bool someone_types();

/// One line of the standard input, of at most max_bytes. From a terminal it comes without echo, after a prompt on
/// it, and Ctrl-C, Ctrl-D or Escape leaves. @error cli.nothing_typed, cli.line_too_long
[[nodiscard]] Result<std::string> ask_secret(const std::string& prompt, std::size_t max_bytes);

}  // namespace stillboot::cli
