// SPDX-License-Identifier: Apache-2.0
// Machines that were never built: a tree of devices, device links, virtual functions and block stacks from a seed.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "quiesce/inventory.hpp"
#include "quiesce/users.hpp"

namespace stillboot::quiesce::test {

struct MachineOrder {
    std::uint32_t seed = 1;
    std::size_t devices = 60;  ///< about so many, all bound but a tenth
    std::size_t links = 40;    ///< device links
    bool circles = false;      ///< let links lead in circles
    bool users = true;         ///< mounts and stacks in use
    bool kept = true;          ///< some devices that the shipped rules keep
};

class MachineGenerator {
public:
    explicit MachineGenerator(const MachineOrder& order) : order_(order), random_(order.seed) {}

    Inventory make() {
        while (inventory_.devices.size() < order_.devices) {
            add_slot();
        }
        // Bind orders are a permutation: drivers are bound in any order, and bound again by hand.
        std::vector<std::uint64_t> numbers(paths_.size());
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            numbers[i] = 1000 + 3 * i;
        }
        std::shuffle(numbers.begin(), numbers.end(), random_);
        for (std::size_t i = 0; i < paths_.size(); ++i) {
            auto& device = inventory_.devices[paths_[i]];
            device.bind_order = device.bound() ? numbers[i] : 0;
        }
        add_links();
        add_stacks();
        if (!derive_stacked(inventory_)) {
            throw std::logic_error("more stacked than a machine may have");
        }
        inventory_.autoprobe = {{"pci", "1"}, {"scsi", "1"}, {"platform", "1"}};
        return std::move(inventory_);
    }

private:
    struct Kind {
        const char* driver;
        std::uint32_t pci_class;
        const char* child_bus;
        const char* child_driver;
        bool kept;
    };
    static constexpr std::array<Kind, 14> kinds = {{{"nvme", 0x010802, "", "", false},
                                                    {"e1000e", 0x020000, "", "", false},
                                                    {"xhci_hcd", 0x0c0330, "usb", "usb-storage", false},
                                                    {"virtio-pci", 0x010000, "virtio", "virtio_blk", false},
                                                    {"virtio-pci", 0x020000, "virtio", "virtio_net", false},
                                                    {"megaraid_sas", 0x010400, "scsi", "sd", false},
                                                    {"mptsas", 0x010000, "scsi", "sd", false},
                                                    {"i915", 0x030000, "", "", false},
                                                    {"bochs-drm", 0x030000, "", "", false},
                                                    {"igb", 0x020000, "", "", false},
                                                    {"xhci_hcd", 0x0c0330, "platform", "dwc3-child", false},
                                                    {"pcieport", 0x060400, "pci", "e1000e", true},
                                                    {"ahci", 0x010601, "scsi", "sd", true},
                                                    {"lpc_ich", 0x060100, "platform", "iTCO_wdt", true}}};

    std::uint32_t below(std::size_t bound) { return static_cast<std::uint32_t>(random_() % bound); }
    bool one_in(std::size_t n) { return below(n) == 0; }

    std::string pci_name(std::size_t function = 0) {
        std::array<char, 32> text = {};
        std::snprintf(text.data(), text.size(), "%04zx:%02zx:%02zx.%zx", slot_ >> 13 & 0xffff, slot_ >> 5 & 0xff,
                      slot_ & 0x1f, function);
        return text.data();
    }

    Device& add(const std::string& path, const std::string& bus, const std::string& driver) {
        Device device;
        device.path = path;
        device.name = path.substr(path.rfind('/') + 1);
        device.bus = bus;
        device.driver = one_in(10) ? "" : driver;
        device.can_unbind = device.bound() && !one_in(40);
        device.modalias = bus + ":" + driver;
        paths_.push_back(path);
        branch(path);
        return inventory_.devices[path] = std::move(device);
    }

    void add_slot() {
        const std::size_t wanted = order_.kept ? kinds.size() : kinds.size() - 3;
        const Kind& kind = kinds[below(wanted)];
        ++slot_;
        const std::string parent =
            bridges_.empty() || one_in(2) ? "/sys/devices/pci0000:00" : bridges_[below(bridges_.size())];
        const std::string path = parent + "/" + pci_name();
        add(path, "pci", kind.driver).pci = PciFunction{kind.pci_class, 0x8086, 0x100e};
        if (kind.driver == std::string("pcieport")) {
            bridges_.push_back(path);
        } else if (kind.driver == std::string("igb") && one_in(2)) {
            add_virtual_functions(path, parent);
        }
        for (std::uint32_t i = 0; *kind.child_bus != '\0' && i < 1 + below(3); ++i) {
            add_child(path, kind, i);
        }
        if (kind.pci_class == 0x010802) {
            add_disk(path + "/nvme/n" + std::to_string(slot_) + "/nvme" + std::to_string(slot_) + "n1");
        }
        if (kind.pci_class == 0x020000 && *kind.child_bus == '\0') {
            const std::string name = "eth" + std::to_string(slot_);
            inventory_.interfaces.push_back({name, path + "/net/" + name, "52:54:00:00:00:01", true, true});
        }
    }

    void add_virtual_functions(const std::string& physical, const std::string& parent) {
        const std::uint32_t count = 1 + below(3);
        inventory_.devices[physical].virtual_functions = count;
        for (std::uint32_t i = 0; i < count; ++i) {
            Device& function = add(parent + "/" + pci_name(i + 1), "pci", "igbvf");
            function.pci = PciFunction{0x020000, 0x8086, 0x10ca};
            function.physical_function = physical;
        }
    }

    void add_child(const std::string& path, const Kind& kind, std::uint32_t number) {
        const std::string name =
            std::string(kind.child_bus) + std::to_string(slot_) + ":" + std::to_string(number);
        if (std::string(kind.child_bus) == "pci") {
            ++slot_;
            add(path + "/" + pci_name(), "pci", kind.child_driver).pci = PciFunction{0x020000, 0x8086, 0x100e};
            return;
        }
        const std::string child = path + "/host" + std::to_string(slot_) + "/" + name;
        add(child, kind.child_bus, kind.child_driver);
        if (std::string(kind.child_driver) == "sd" || std::string(kind.child_driver) == "virtio_blk") {
            add_disk(child + "/block/sd" + std::to_string(slot_) + "x" + std::to_string(number));
        }
    }

    void add_disk(const std::string& path) {
        BlockDevice block;
        block.name = path.substr(path.rfind('/') + 1);
        block.path = path;
        block.number = "8:" + std::to_string(inventory_.blocks.size());
        block.wwid = "wwid-" + block.name;
        block.sectors = 2048;
        disks_.push_back(block.name);
        inventory_.blocks[block.name] = std::move(block);
    }

    // Without circles every link leads from a branch of the tree to an earlier one.
    void add_links() {
        for (std::size_t i = 0; i < order_.links && paths_.size() > 1; ++i) {
            std::string lower = paths_[below(paths_.size())];
            std::string upper = paths_[below(paths_.size())];
            if (!order_.circles && branch(upper) < branch(lower)) {
                std::swap(upper, lower);
            }
            if (upper != lower && (order_.circles || branch(upper) != branch(lower))) {
                inventory_.devices[upper].suppliers.push_back(lower);
            }
        }
    }

    // The number of the function right below the root complex: tree edges stay within it.
    std::size_t branch(const std::string& path) {
        const std::size_t root = std::string("/sys/devices/pci0000:00/").size();
        return branches_.emplace(path.substr(0, path.find('/', root)), branches_.size()).first->second;
    }

    // Volumes on disks, and now and then a disk that itself stands on one of an earlier branch.
    void add_stacks() {
        for (std::size_t i = 1; i < disks_.size(); ++i) {
            auto& upper = inventory_.blocks[disks_[i]];
            const auto& lower = inventory_.blocks[disks_[below(i)]];
            if (one_in(6) && branch(lower.path) < branch(upper.path)) {
                upper.stands_on = {lower.name};
            }
        }
        for (std::size_t i = 0; i + 1 < disks_.size(); ++i) {
            if (one_in(8)) {
                BlockDevice dm;
                dm.name = "dm-" + std::to_string(i);
                dm.path = "/sys/devices/virtual/block/" + dm.name;
                dm.dm_name = "volume" + std::to_string(i);
                dm.stands_on = {disks_[i], disks_[i + 1]};
                if (order_.users && one_in(3)) {
                    inventory_.blocks[dm.name] = dm;
                    inventory_.users.push_back(
                        {Message("quiesce.user_dm", {{"name", dm.dm_name}, {"source", disks_[i]}}),
                         inventory_.block_chain(dm.name), false});
                }
                inventory_.blocks[dm.name] = std::move(dm);
            }
        }
    }

    MachineOrder order_;
    std::mt19937 random_;
    Inventory inventory_;
    std::vector<std::string> paths_;               // in the order in which they were made
    std::map<std::string, std::size_t> branches_;  // in the order in which they were made, too
    std::vector<std::string> bridges_;
    std::vector<std::string> disks_;
    std::size_t slot_ = 0;
};

[[nodiscard]] inline Inventory generated_machine(const MachineOrder& order) {
    return MachineGenerator(order).make();
}

}  // namespace stillboot::quiesce::test
