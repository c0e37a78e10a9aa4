// SPDX-License-Identifier: Apache-2.0
// What /proc/PID/stat says of a process.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string_view>

namespace stillboot {

struct ProcessStat {
    char state = '?';  ///< 'Z' and 'X' have ended
    pid_t parent = 0;  ///< 0: none, or outside this PID namespace
    int terminal = 0;  ///< the device number of the controlling one, as the kernel encodes it; 0: none

    bool operator==(const ProcessStat&) const = default;
};

/// Reads the text of a /proc/PID/stat. Nothing where it is damaged, or ends before the blank after the terminal: a
/// number that was cut off would be another one. Source: proc_pid_stat(5), "pid (comm) state ppid pgrp session
/// tty_nr tpgid …".
[[nodiscard]] std::optional<ProcessStat> process_stat_of(std::string_view text);

}  // namespace stillboot
