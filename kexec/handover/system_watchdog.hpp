// SPDX-License-Identifier: Apache-2.0
// The hardware watchdog of this machine, through the kernel's watchdog core.
#pragma once

#include "config/base/root.hpp"
#include "config/base/unique_fd.hpp"
#include "kexec/handover/ports.hpp"

namespace stillboot::handover {

/// The first of /sys/class/watchdog that hardware stands behind (a software watchdog ends with this kernel) and
/// that nobody holds. Follows Documentation/watchdog/watchdog-api.rst: opening starts it, and closing without a
/// "V" leaves it running. Whether it outlives the reboot notifier is decided where the module `watchdog` is
/// loaded, by its parameter stop_on_reboot (drivers/watchdog/watchdog_core.c). Lifetime: borrows the root. One
/// that is armed runs on where this ends before disarm().
class SystemWatchdog final : public Watchdog {
public:
    explicit SystemWatchdog(const Root& root) : root_(root) {}
    Result<Armed> arm(std::chrono::seconds timeout) override;
    Result<void> disarm() override;

private:
    Result<void> start(const std::string& name, std::chrono::seconds timeout);
    [[nodiscard]] std::chrono::seconds within_bounds(const std::string& name, std::chrono::seconds timeout) const;
    [[nodiscard]] bool is_running() const;

    const Root& root_;
    UniqueFd device_;  ///< of the one that is armed
    Armed armed_;
};

/// Whether the hardware of a watchdog tells that it restarted the machine into this kernel. Nothing is opened,
/// which would start it.
[[nodiscard]] bool watchdog_fired(const Root& root);

}  // namespace stillboot::handover
