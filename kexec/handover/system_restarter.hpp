// SPDX-License-Identifier: Apache-2.0
// Restarting past a device lock that is held for good: the kernel's own restart would wait for it.
#pragma once

#include "config/base/process.hpp"
#include "config/model/settings.hpp"
#include "kexec/handover/system_watchdog.hpp"

namespace stillboot::handover {

/// By sysrq-b, which calls no driver (drivers/tty/sysrq.c, sysrq_handle_reboot; writing to the trigger asks no
/// mask); or by a power cycle through IPMI or a watchdog that nobody feeds, and by sysrq where that does not come.
class SystemRestarter final : public Restarter {
public:
    SystemRestarter(const Root& root, ProcessRunner& runner, OnHang how)
        : root_(root), runner_(runner), how_(how), watchdog_(root) {}
    Error restart() override;

private:
    const Root& root_;
    ProcessRunner& runner_;
    OnHang how_;
    SystemWatchdog watchdog_;
};

}  // namespace stillboot::handover
