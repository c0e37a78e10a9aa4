// SPDX-License-Identifier: Apache-2.0
// The surroundings of a hook of systemd-shutdown on a real machine.
#pragma once

#include <sys/types.h>

#include "config/base/root.hpp"
#include "kexec/hook/hook.hpp"
#include "quiesce/ports.hpp"

namespace stillboot::hook {

/// Holds every page of this program in memory from here on, those that are mapped later too: the disk that it was
/// started from goes. @error hook.not_locked
[[nodiscard]] Result<void> lock_in_memory();

/// udev has ended before the hooks begin; its programs must not be started, for their disk goes.
class NoEvents final : public quiesce::EventQueue {
public:
    Result<void> stop() override { return {}; }
    Result<void> start() override { return {}; }
    void settle(std::chrono::seconds) override {}
};

class SystemSurroundings final : public Surroundings {
public:
    /// @param self, parent: of this hook; what else has the same parent is another hook (systemd runs all of them
    ///   from one process)
    SystemSurroundings(const Root& root, quiesce::Pause& pause, pid_t self, pid_t parent)
        : root_(root), pause_(pause), self_(self), parent_(parent) {}

    std::vector<std::string> wait_for_other_hooks(std::chrono::milliseconds deadline) override;
    bool write_back(std::chrono::milliseconds deadline) override;

private:
    [[nodiscard]] std::vector<std::string> other_hooks() const;

    const Root& root_;
    quiesce::Pause& pause_;
    pid_t self_;
    pid_t parent_;
};

}  // namespace stillboot::hook
