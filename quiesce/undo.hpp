// SPDX-License-Identifier: Apache-2.0
// Puts everything back: autoprobe and udev first, then binds top down, and counts only what answers again.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "quiesce/ports.hpp"
#include "quiesce/record.hpp"

namespace stillboot::quiesce {

struct UndoOptions {
    std::chrono::seconds bind_deadline{60};  ///< of one bind: a probe may take long
    std::chrono::seconds settle{30};         ///< for disks and interfaces to come back after the last bind
};

struct UndoReport {
    std::vector<std::string> bound;  ///< paths that were bound again, by us or by the kernel
    std::vector<Message> not_back;   ///< what did not come back, each by name
    std::vector<Message> notes;      ///< back, but under another name

    /// Every device is bound, every disk reads, every interface is there with its link as it was.
    [[nodiscard]] bool complete() const { return not_back.empty(); }
};

/// Never fails as a whole: it does what it can and says what is not back. A record of another boot of the
/// kernel is not ours to undo: the report then holds one quiesce.other_boot.
[[nodiscard]] UndoReport undo(const UndoRecord& record, const Ports& ports, const UndoOptions& options = {});

}  // namespace stillboot::quiesce
