// SPDX-License-Identifier: Apache-2.0
// The fixed order of devices: it never depends on which disk answered first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stillboot::registry {

/// A text whose bytewise order is the natural order of the given ones: "nvme-2" before "nvme-10".
[[nodiscard]] std::string natural_key(std::string_view text);

/// The place of a device in the fixed order, as a text that sorts bytewise: first the setting's items, each a
/// glob over the device's id or one of the words "internal" and "removable", then the stable path in natural
/// order. A device that no item names comes after those that are named.
[[nodiscard]] std::string order_key(const std::vector<std::string>& order, std::string_view id, bool removable);

}  // namespace stillboot::registry
