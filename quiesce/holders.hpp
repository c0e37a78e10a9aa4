// SPDX-License-Identifier: Apache-2.0
// Which processes hold device nodes open, and which of them see mounts of their own.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/root.hpp"

namespace stillboot::quiesce {

struct Holder {
    std::string pid;
    std::string command;  ///< /proc/PID/comm
    std::string node;     ///< "/dev/snd/controlC0"

    /// "wireplumber (process 812)"
    [[nodiscard]] std::string words() const;
    bool operator==(const Holder&) const = default;
};

/// The processes that are there, lowest number first.
[[nodiscard]] std::vector<std::string> processes(const Root& root);

/// /proc/PID/comm, or "?" where the process has gone.
[[nodiscard]] std::string command_of(const Root& root, const std::string& pid);

/// Every open descriptor whose path is wanted, by process. What other users' processes hold is seen by root alone;
/// a process that ends meanwhile is passed over.
[[nodiscard]] std::vector<Holder> holders_of(const Root& root,
                                             const std::function<bool(std::string_view)>& wanted);

}  // namespace stillboot::quiesce
