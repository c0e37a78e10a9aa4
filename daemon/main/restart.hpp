// SPDX-License-Identifier: Apache-2.0
// Restarting the machine or switching it off.
#pragma once

#include <optional>

#include "config/base/message.hpp"
#include "config/base/root.hpp"
#include "daemon/loop/log.hpp"

namespace stillboot {

/// What stands in the way: a power-off would wait for ever for a device that an unbind still holds.
[[nodiscard]] std::optional<Message> why_no_restart(bool power_off, const Root& root);

/// Restarts or switches off, where nothing stands in the way: through systemd where it runs, else by reboot(2)
/// after a sync; a restart gets past a device that an unbind still holds by sysrq. Says why it could not.
void restart_machine(bool power_off, const Root& root, Log& log);

}  // namespace stillboot
