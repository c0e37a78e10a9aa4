// SPDX-License-Identifier: Apache-2.0
// An inventory as a file: read on one machine, planned on another.
#pragma once

#include <string>
#include <string_view>

#include "quiesce/inventory.hpp"

namespace stillboot::quiesce {

/// Where and when an inventory was read. The host's name is not in it.
struct InventoryHead {
    std::string stillboot;    ///< the version that wrote it
    std::string kernel;       ///< "6.1.0-49-amd64"
    std::string machine;      ///< "x86_64"
    std::string recorded;     ///< "2026-11-23T12:40:00Z"
    bool identities = false;  ///< serial numbers, addresses and names are as they are, not stand-ins

    bool operator==(const InventoryHead&) const = default;
};

struct RecordedInventory {
    static constexpr int format_version = 1;
    static constexpr std::size_t max_bytes = 32 * 1024 * 1024;
    static constexpr std::size_t max_devices = 65'536;  ///< and as many block devices, interfaces, users
    static constexpr std::size_t max_links = 262'144;   ///< device links, slaves and needs, together
    static constexpr std::size_t max_text = 4'096;      ///< bytes of a path or of any other text
    static constexpr unsigned max_depth = 8;

    InventoryHead head;
    Inventory inventory;

    bool operator==(const RecordedInventory&) const = default;
};

/// The head for this kernel. @param seconds since 1970, UTC.
[[nodiscard]] InventoryHead head_of_this_machine(std::int64_t seconds);

/// The inventory without what names its machine or its people. Serial numbers, hardware addresses and the names of
/// volumes and servers become stand-ins that are equal where they were equal; of the path of a mount or of a file
/// only a well-known directory is left. What a plan is made from stays: sysfs paths, drivers, modaliases, bind
/// order, sizes.
[[nodiscard]] Inventory without_identities(Inventory inventory);

/// JSON with one device, block device or user a line, so that two of them can be compared by diff(1).
[[nodiscard]] std::string to_text(const RecordedInventory& recorded);

/// Reads it back. Keys that are not known are passed over.
/// @error quiesce.inventory_newer (version: a later format), quiesce.inventory_other (JSON, but no inventory),
/// quiesce.inventory_too_large (what, limit), quiesce.inventory_damaged (reason)
[[nodiscard]] Result<RecordedInventory> inventory_from_json(std::string_view text);

}  // namespace stillboot::quiesce
