// SPDX-License-Identifier: Apache-2.0
// Whether a function may be reset where a rule asks for it.
#pragma once

#include <optional>

#include "config/base/message.hpp"
#include "quiesce/inventory.hpp"

namespace stillboot::quiesce {

/// Why a device is not reset, or nothing where it may be. The kernel takes the first of the listed ways, and a
/// later one only where that says ENOTTY, which it was asked when the device was found (drivers/pci/pci.c,
/// __pci_reset_function_locked).
[[nodiscard]] std::optional<Message> why_not_reset(const Device& device, const Inventory& inventory);

}  // namespace stillboot::quiesce
