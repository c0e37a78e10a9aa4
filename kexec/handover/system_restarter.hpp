// SPDX-License-Identifier: Apache-2.0
// Restarting past a device lock that is held for good: the kernel's own restart would wait for it.
#pragma once

#include "config/model/settings.hpp"
#include "kexec/handover/system_watchdog.hpp"

namespace stillboot::handover {

/// By sysrq-b, which calls no driver (drivers/tty/sysrq.c, sysrq_handle_reboot; writing to the trigger asks no
/// mask); or by a power cycle through IPMI or a watchdog that nobody feeds, and by sysrq where that does not come.
/// Why it does not come is a line of the journal. Lifetime: borrows the root and the journal.
class SystemRestarter final : public Restarter {
public:
    SystemRestarter(const Root& root, quiesce::Journal& journal, OnHang how)
        : root_(root), journal_(journal), how_(how), watchdog_(root) {}
    Error restart() override;

private:
    void wait_for_power_cycle();
    void wait_for_watchdog();

    const Root& root_;
    quiesce::Journal& journal_;
    OnHang how_;
    SystemWatchdog watchdog_;
};

}  // namespace stillboot::handover
