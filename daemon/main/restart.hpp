// SPDX-License-Identifier: Apache-2.0
// Restarting the machine or switching it off.
#pragma once

#include "config/base/root.hpp"
#include "daemon/loop/log.hpp"

namespace stillboot {

/// Restarts or switches off: through systemd where it runs, else by reboot(2) after a sync; past a device that an unbind
/// still holds by sysrq. Says why it could not.
void restart_machine(bool power_off, const Root& root, Log& log);

}  // namespace stillboot
