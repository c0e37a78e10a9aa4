// SPDX-License-Identifier: Apache-2.0
// The block stack and the network interfaces.
#include "quiesce/sysfs.hpp"
#include "quiesce/users.hpp"

namespace stillboot::quiesce {
namespace {

constexpr std::size_t max_stacked = 100'000;  // pairs; a machine with thousands of volumes has some ten thousand

// A namespace of an NVMe subsystem lives below /sys/devices/virtual; its controllers are links beside it.
std::vector<std::string> nvme_controllers(const Root& root, std::string_view block_path) {
    std::vector<std::string> controllers;
    const std::size_t at = block_path.find("/nvme-subsystem/");
    if (at == block_path.npos) {
        return controllers;
    }
    const std::size_t end = block_path.find('/', at + std::string_view("/nvme-subsystem/").size());
    const std::string subsystem(block_path.substr(0, end));
    const auto names = root.list(subsystem);
    for (const auto& name : names ? *names : std::vector<std::string>{}) {
        if (const auto path = follow_link(root, subsystem + "/" + name); path.find("/nvme/") != path.npos) {
            controllers.push_back(path);
        }
    }
    return controllers;
}

std::string dm_kind(const std::string& uuid) {
    for (const std::string_view kind : {"LVM", "CRYPT", "mpath"}) {
        if (uuid.starts_with(kind)) {
            return std::string(kind);
        }
    }
    return {};
}

void read_virtual(const Root& root, BlockDevice& block) {
    const SysfsDirectory dm(root, block.path + "/dm");
    block.dm_name = dm.attribute("name");
    block.dm_kind = dm_kind(dm.attribute("uuid"));
    block.md_level = attribute_or_empty(root, block.path + "/md/level");
    block.backing_file = attribute_or_empty(root, block.path + "/loop/backing_file");
}

BlockDevice read_block(const Root& root, const std::string& name, const std::string& path) {
    const SysfsDirectory directory(root, path);
    BlockDevice block;
    block.name = name;
    block.path = path;
    block.number = directory.attribute("dev");
    block.sectors = parse_number(directory.attribute("size"), 10);
    if (path.starts_with("/sys/devices/virtual/block/")) {
        read_virtual(root, block);
    } else if (directory.attribute("partition").empty()) {
        block.wwid = stable_name(root, directory);
    }
    block.carriers = nvme_controllers(root, path);
    if (const auto slaves = root.list(path + "/slaves")) {
        block.stands_on = *slaves;
    }
    if (block.backing_file.starts_with("/dev/")) {
        block.stands_on.emplace_back(last_component(block.backing_file));
    }
    return block;
}

}  // namespace

std::string stable_name(const Root& root, const SysfsDirectory& directory) {
    for (const char* attribute : {"wwid", "uuid", "serial"}) {
        if (auto text = directory.attribute(attribute); !text.empty()) {
            return text;
        }
    }
    const SysfsDirectory device(root, directory.path() + "/device");
    for (const char* attribute : {"wwid", "serial", "cid"}) {  // cid: of an SD card
        if (auto text = device.attribute(attribute); !text.empty()) {
            return text;
        }
    }
    return {};
}

Result<void> read_blocks(const Root& root, Inventory& inventory) {
    const auto names = root.list("/sys/class/block");
    const SysfsDirectory links(root, "/sys/class/block");
    for (const auto& name : names ? *names : std::vector<std::string>{}) {
        const std::string path = links.follow(name.c_str());
        if (!path.empty()) {
            inventory.blocks[name] = read_block(root, name, path);
        }
    }
    return derive_stacked(inventory);
}

Result<void> derive_stacked(Inventory& inventory) {
    for (const auto& [name, block] : inventory.blocks) {
        // What is virtual (dm, md, loop) has nothing above it that could be unbound.
        if (block.stands_on.empty() || inventory.bound_at_or_above(block.path) == nullptr) {
            continue;
        }
        for (const auto& below : block.stands_on) {
            for (const auto& path : inventory.block_chain(below)) {
                inventory.stacked.emplace_back(block.path, path);
            }
            if (inventory.stacked.size() > max_stacked) {
                return Error("quiesce.stack_too_large", {{"limit", std::uint64_t{max_stacked}}});
            }
        }
    }
    return {};
}

void read_interfaces(const Root& root, Inventory& inventory) {
    constexpr std::uint64_t iff_up = 1;
    const auto names = root.list("/sys/class/net");
    const SysfsDirectory links(root, "/sys/class/net");
    for (const auto& name : names ? *names : std::vector<std::string>{}) {
        const std::string path = links.follow(name.c_str());
        if (path.empty() || path.starts_with("/sys/devices/virtual/")) {
            continue;
        }
        const SysfsDirectory directory(root, path);
        NetworkInterface interface;
        interface.name = name;
        interface.path = path;
        interface.address = directory.attribute("address");
        interface.up = (parse_number(directory.attribute("flags"), 16) & iff_up) != 0;
        interface.carrier = directory.attribute("carrier") == "1";
        inventory.interfaces.push_back(std::move(interface));
    }
}

}  // namespace stillboot::quiesce
