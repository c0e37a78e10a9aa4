// SPDX-License-Identifier: Apache-2.0
// The second half of the inventory: block stack, interfaces, and what would lose its device.
#pragma once

#include "quiesce/inventory.hpp"

namespace stillboot::quiesce {

/// @error quiesce.stack_too_large
Result<void> read_blocks(const Root& root, Inventory& inventory);
/// Fills Inventory::stacked from the block devices. @error quiesce.stack_too_large
Result<void> derive_stacked(Inventory& inventory);
void read_interfaces(const Root& root, Inventory& inventory);
/// Mounts, swaps, stacked block devices, consoles, open nodes of graphics, sound and vfio. Wants read_blocks()
/// before. @error quiesce.unreadable
Result<void> read_users(const Root& root, Inventory& inventory);

/// The name of the block device that a /dev node or a /sys path stands for, or empty.
[[nodiscard]] std::string block_of(const Inventory& inventory, const Root& root, std::string_view node);

}  // namespace stillboot::quiesce
