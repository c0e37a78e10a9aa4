// SPDX-License-Identifier: Apache-2.0
// Reads devices, drivers, device links and classes from sysfs.
#include "quiesce/inventory.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "quiesce/sysfs.hpp"
#include "quiesce/users.hpp"

namespace stillboot::quiesce {
namespace {

// Classes whose devices policy asks about. The device that provides one is the nearest bound one above.
constexpr std::array<std::string_view, 9> known_classes = {"watchdog", "tpm", "rtc",  "net",      "block",
                                                           "drm",      "ptp", "ipmi", "scsi_host"};

void read_pci(const SysfsDirectory& directory, Device& device) {
    const auto hex = [&](const char* name) { return parse_number(directory.attribute(name), 16); };
    PciFunction pci;
    pci.class_code = static_cast<std::uint32_t>(hex("class")) & 0xffffff;
    pci.vendor = static_cast<std::uint16_t>(hex("vendor"));
    pci.device = static_cast<std::uint16_t>(hex("device"));
    device.pci = pci;
    device.reset_methods = split(directory.attribute("reset_method"), " ");
    device.virtual_functions = static_cast<std::uint32_t>(parse_number(directory.attribute("sriov_numvfs"), 10));
    device.physical_function = directory.follow("physfn");
}

/// Reads the devices of one bus after the other.
class BusReader {
public:
    BusReader(const Root& root, const CreationOrder& creation_order)
        : root_(root), creation_order_(creation_order) {}

    Device device_at(const std::string& path, const std::string& name, const std::string& bus) {
        const SysfsDirectory directory(root_, path);
        Device device;
        device.path = path;
        device.name = name;
        device.bus = bus;
        device.driver = last_component(directory.link("driver"));
        if (device.bound()) {
            device.bind_order = creation_order_(root_, path + "/driver");
            device.can_unbind = can_unbind(device);
        }
        if (device.bound() || bus == "pci") {  // of the others nobody asks it, and there are many
            device.modalias = directory.attribute("modalias");
        }
        if (bus == "pci") {
            read_pci(directory, device);
        }
        return device;
    }

private:
    bool can_unbind(const Device& device) {
        const auto [known, added] = can_unbind_.try_emplace({device.bus, device.driver}, false);
        if (added) {
            known->second = root_.lstat(device.path + "/driver/unbind").has_value();
        }
        return known->second;
    }

    const Root& root_;
    const CreationOrder& creation_order_;
    std::map<std::pair<std::string, std::string>, bool> can_unbind_;  // by bus and driver
};

// Calls act(path, name, bus) for each device, and on_bus(bus) before those of a bus.
Result<void> for_each_device(const Root& root, const auto& on_bus, const auto& act) {
    auto buses = root.list("/sys/bus");
    if (!buses) {
        return buses.error();
    }
    for (const auto& bus : *buses) {
        on_bus(bus);
        const std::string directory = "/sys/bus/" + bus + "/devices";
        const auto names = root.list(directory);
        if (!names) {
            continue;  // a bus without devices
        }
        const SysfsDirectory links(root, directory);
        for (const auto& name : *names) {
            if (const std::string path = links.follow(name.c_str()); !path.empty()) {
                act(path, name, bus);
            }
        }
    }
    return {};
}

Result<void> read_buses(const Root& root, const CreationOrder& creation_order, Inventory& inventory) {
    BusReader reader(root, creation_order);
    return for_each_device(
        root,
        [&](const std::string& bus) {
            if (auto text = root.read_attribute("/sys/bus/" + bus + "/drivers_autoprobe")) {
                inventory.autoprobe[bus] = *text;
            }
        },
        [&](const std::string& path, const std::string& name, const std::string& bus) {
            inventory.devices[path] = reader.device_at(path, name, bus);
        });
}

// The directories of device links: of the class where there is one, else by the links in consumers.
std::vector<std::string> device_link_directories(const Root& root, const Inventory& inventory) {
    std::vector<std::string> directories;
    if (const auto names = root.list("/sys/class/devlink")) {
        const SysfsDirectory links(root, "/sys/class/devlink");
        for (const auto& name : *names) {
            directories.push_back(links.follow(name.c_str()));
        }
        return directories;
    }
    for (const auto& [path, device] : inventory.devices) {
        const auto names = root.list(path);
        for (const auto& name : names ? *names : std::vector<std::string>{}) {
            if (name.starts_with("supplier:")) {
                directories.push_back(follow_link(root, path + "/" + name));
            }
        }
    }
    return directories;
}

void read_device_links(const Root& root, Inventory& inventory) {
    for (const auto& path : device_link_directories(root, inventory)) {
        const SysfsDirectory directory(root, path);
        // One for sync_state() alone orders no unbind. Source: drivers/base/core.c, device_links_unbind_consumers.
        if (directory.attribute("status") == "dormant" || directory.attribute("sync_state_only") == "1") {
            continue;
        }
        const std::string supplier = directory.follow("supplier");
        const std::string consumer = directory.follow("consumer");
        const auto found = inventory.devices.find(consumer);
        if (found != inventory.devices.end() && !supplier.empty()) {
            auto& suppliers = found->second.suppliers;
            if (std::find(suppliers.begin(), suppliers.end(), supplier) == suppliers.end()) {
                suppliers.push_back(supplier);
            }
        }
    }
}

void add_class(Inventory& inventory, std::string_view path, std::string_view class_name) {
    const Device* provider = inventory.bound_at_or_above(path);
    if (provider == nullptr) {
        return;
    }
    auto& classes = inventory.devices.find(provider->path)->second.classes;
    if (std::find(classes.begin(), classes.end(), class_name) == classes.end()) {
        classes.emplace_back(class_name);
    }
}

void read_classes(const Root& root, Inventory& inventory) {
    for (const auto class_name : known_classes) {
        const std::string base = "/sys/class/" + std::string(class_name);
        const auto names = root.list(base);
        const SysfsDirectory links(root, base);
        for (const auto& name : names ? *names : std::vector<std::string>{}) {
            if (const auto path = links.follow(name.c_str()); !path.empty()) {
                add_class(inventory, path, class_name);
            }
        }
    }
}

}  // namespace

bool PciFunction::is_bridge() const {
    constexpr std::uint32_t bridge_base = 0x06;
    constexpr std::uint32_t other_bridge = 0x0680;
    return (class_code >> 16) == bridge_base && (class_code >> 8) != other_bridge;
}

bool is_below(std::string_view path, std::string_view ancestor) {
    return path.size() > ancestor.size() && path.starts_with(ancestor) && path[ancestor.size()] == '/';
}

const Device* Inventory::bound_at_or_above(std::string_view path) const {
    while (path.size() > 1) {
        const auto found = devices.find(path);
        if (found != devices.end() && found->second.bound()) {
            return &found->second;
        }
        path = path.substr(0, path.rfind('/'));
    }
    return nullptr;
}

std::vector<std::string> Inventory::block_chain(std::string_view name) const {
    std::vector<std::string> paths;
    std::vector<std::string> open = {std::string(name)};
    std::set<std::string, std::less<>> seen;
    while (!open.empty()) {
        const std::string current = std::move(open.back());
        open.pop_back();
        const auto found = blocks.find(current);
        if (found == blocks.end() || !seen.insert(current).second) {
            continue;
        }
        paths.push_back(found->second.path);
        paths.insert(paths.end(), found->second.carriers.begin(), found->second.carriers.end());
        open.insert(open.end(), found->second.stands_on.begin(), found->second.stands_on.end());
    }
    return paths;
}

std::uint64_t creation_order_by_inode(const Root& root, const std::string& path) {
    const auto info = root.lstat(path);
    return info ? info->st_ino : 0;
}

std::string current_driver(const Root& root, std::string_view device_path) {
    const auto target = root.read_link(std::string(device_path) + "/driver");
    return target ? std::string(last_component(*target)) : std::string();
}

Result<Bindings> read_bindings(const Root& root) {
    Bindings bindings;
    auto read = for_each_device(
        root, [](const std::string&) {},
        [&](const std::string& path, const std::string&, const std::string&) {
            if (std::string driver = current_driver(root, path); !driver.empty()) {
                bindings[path] = std::move(driver);
            }
        });
    return read ? Result<Bindings>(std::move(bindings)) : read.error();
}

Result<Inventory> read_inventory(const Root& root, const CreationOrder& creation_order) {
    Inventory inventory;
    if (auto read = read_buses(root, creation_order, inventory); !read) {
        return read.error();
    }
    read_device_links(root, inventory);
    read_classes(root, inventory);
    if (auto read = read_blocks(root, inventory); !read) {
        return read.error();
    }
    read_interfaces(root, inventory);
    if (auto read = read_users(root, inventory); !read) {
        return read.error();
    }
    return inventory;
}

}  // namespace stillboot::quiesce
