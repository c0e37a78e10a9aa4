// SPDX-License-Identifier: Apache-2.0
// Asks the management controller to take the power away and give it back.
#pragma once

#include "config/base/root.hpp"

namespace stillboot::handover {

/// One Chassis Control command, "power cycle", over /dev/ipmi0, which needs neither a disk nor a program.
/// Blocking, at most for some seconds. On success the power goes at any moment from now on. Source: IPMI 2.0, 28.3
/// Chassis Control Command; Documentation/driver-api/ipmi.rst.
/// @error handover.power_cycle_failed (no such device, no answer), handover.power_cycle_refused
[[nodiscard]] Result<void> cycle_power(const Root& root);

}  // namespace stillboot::handover
