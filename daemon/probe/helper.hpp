// SPDX-License-Identifier: Apache-2.0
// Starting a helper program with its socket, and putting its end into words.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "config/base/result.hpp"
#include "config/base/unique_fd.hpp"

namespace stillboot::probe {

inline constexpr std::string_view probe_program = "stillboot-probe";
inline constexpr std::string_view fetch_program = "stillboot-fetch";
/// The helper's end of the socketpair.
inline constexpr int helper_socket = 3;

/// A running helper. Destroying it neither ends nor reaps the process.
struct Helper {
    pid_t pid = -1;
    UniqueFd pidfd;
    UniqueFd socket;  ///< SOCK_SEQPACKET, non-blocking, close-on-exec
};

/// The path of a helper: in $STILLBOOT_LIBEXEC, beside the running program, in ../libexec/stillboot from there, or
/// in the installed libexecdir.
/// @error probe.helper_missing
[[nodiscard]] Result<std::string> find_helper(std::string_view program);

/// Starts a helper in a session of its own, with nothing open but 0, 1, 2 and its socket. The device it works on
/// stands on its command line only for people to read. @error probe.helper_missing, base.spawn_failed
[[nodiscard]] Result<Helper> start_helper(std::string_view program, const std::string& node);

/// SIGKILL through the pidfd: can never meet another process.
void kill_helper(const Helper& helper);

/// Reaps a process that has ended. Empty where it exited with status 0; else probe.helper_crashed or
/// probe.helper_failed with program and node.
[[nodiscard]] std::optional<Error> reap_helper(const Helper& helper, std::string_view program,
                                               const std::string& node);

}  // namespace stillboot::probe
