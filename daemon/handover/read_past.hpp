// SPDX-License-Identifier: Apache-2.0
// What an earlier kernel left behind for this one, and what the firmware is asked for.
#pragma once

#include "config/base/root.hpp"
#include "config/model/settings.hpp"
#include "daemon/handover/booter.hpp"

namespace stillboot::handover {

/// Reads the state store and settles what it holds of an earlier kernel (look_back), and reads what the firmware
/// is asked for, which is taken back where an attempt had used it up. What fails is among the notes. Blocking: as
/// long as the store's device takes.
[[nodiscard]] Past read_past(const Root& root, const Settings& settings);

}  // namespace stillboot::handover
