// SPDX-License-Identifier: Apache-2.0
// Any bytes as a recorded inventory: what is read can be written, read again and planned.
#include <cstdint>
#include <string_view>

#include "quiesce/plan.hpp"
#include "quiesce/recorded_inventory.hpp"

namespace {

void require(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stillboot::quiesce;
    const auto recorded = inventory_from_json({reinterpret_cast<const char*>(data), size});
    if (!recorded) {
        require(!recorded.error().sentence().empty());
        return 0;
    }
    const auto again = inventory_from_json(to_text(*recorded));
    require(again && *again == *recorded);
    const Inventory& inventory = recorded->inventory;
    for (const auto& [path, device] : inventory.devices) {
        require(path == device.path && path.starts_with("/sys/"));
        require(device.physical_function.empty() || device.physical_function.starts_with("/sys/"));
        require(device.suppliers.size() <= RecordedInventory::max_links);
    }
    require(make_plan(inventory, {}) == make_plan(again->inventory, {}));
    const Inventory hidden = without_identities(inventory);
    require(hidden.devices == inventory.devices &&
            without_identities(hidden).users.size() == inventory.users.size());
    return 0;
}
