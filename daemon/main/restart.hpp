// SPDX-License-Identifier: Apache-2.0
// Restarting the machine or switching it off.
#pragma once

#include "daemon/loop/log.hpp"

namespace stillboot {

/// Restarts or switches off: through systemd where it runs, else by reboot(2) after a sync. Says why it could not.
void restart_machine(bool power_off, Log& log);

}  // namespace stillboot
