// SPDX-License-Identifier: Apache-2.0
// The conditions of a reset.
#include "quiesce/reset.hpp"

#include <string>
#include <string_view>

namespace stillboot::quiesce {
namespace {

constexpr std::uint32_t display_class = 0x03;

// "/sys/devices/pci0000:00/0000:00:1f." is what the functions of a slot begin with.
const Device* neighbour_in_slot(const Device& device, const Inventory& inventory) {
    const std::string_view path = device.path;
    const std::string_view slot = path.substr(0, path.rfind('.') + 1);
    for (auto at = inventory.devices.lower_bound(slot); at != inventory.devices.end(); ++at) {
        if (!at->first.starts_with(slot)) {
            break;
        }
        if (at->first != path && at->first.find('/', slot.size()) == std::string::npos) {
            return &at->second;
        }
    }
    return nullptr;
}

bool by_bus(const std::string& method) {
    return method == "bus" || method == "cxl_bus";
}

}  // namespace

std::optional<Message> why_not_reset(const Device& device, const Inventory& inventory) {
    const auto because = [&](std::string_view code) {
        return Message(code, {{"device", device.name}, {"driver", device.driver}});
    };
    if (!device.pci) {
        return because("quiesce.reset_not_pci");
    }
    if (device.pci->is_bridge()) {
        return because("quiesce.reset_bridge");
    }
    if (device.reset_methods.empty()) {
        return because("quiesce.reset_no_method");
    }
    if (!by_bus(device.reset_methods.front())) {
        return std::nullopt;
    }
    if (const Device* neighbour = neighbour_in_slot(device, inventory)) {
        return because("quiesce.reset_bus_shared").with({"other", neighbour->name});
    }
    if (device.pci->class_code >> 16 == display_class) {
        return because("quiesce.reset_bus_display");
    }
    return std::nullopt;
}

}  // namespace stillboot::quiesce
