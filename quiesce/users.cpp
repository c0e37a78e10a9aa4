// SPDX-License-Identifier: Apache-2.0
// What would lose its device: mounts, swaps, stacked block devices; consoles; open graphics nodes.
#include "quiesce/users.hpp"

#include <algorithm>
#include <array>

#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {
namespace {

constexpr std::size_t max_table_bytes = 4 * 1024 * 1024;

// Octal escapes of /proc tables: "\040" is a space.
std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size()) {
            out.push_back(static_cast<char>(parse_number(text.substr(i + 1, 3), 8)));
            i += 3;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

struct Mount {
    std::string number;
    std::string where;
    std::string options;
    std::string type;
    std::string source;
};

// proc(5): id parent major:minor root mount-point options [fields] - type source super-options
std::vector<Mount> read_mounts(const Root& root) {
    std::vector<Mount> mounts;
    const auto text = root.read_file("/proc/self/mountinfo", max_table_bytes);
    for (const auto& line : split(text ? *text : std::string(), "\n")) {
        const auto fields = split(line, " ");
        const auto dash = std::find(fields.begin(), fields.end(), "-");
        if (fields.size() < 6 || fields.end() - dash < 3) {
            continue;
        }
        mounts.push_back({fields[2], unescape(fields[4]), fields[5], *(dash + 1), unescape(*(dash + 2))});
    }
    return mounts;
}

bool is_network_file_system(std::string_view type) {
    constexpr std::array<std::string_view, 7> types = {"nfs", "nfs4", "cifs", "smb3", "ceph", "afs", "ncpfs"};
    return std::find(types.begin(), types.end(), type) != types.end();
}

// Disks that come over a network: iSCSI and NVMe over fabrics.
bool is_network_disk(std::string_view path) {
    const std::size_t session = path.find("/session");
    return path.find("/nvme-fabrics/") != path.npos ||
           (session != path.npos && path.substr(session + 8, 1).find_first_of("0123456789") == 0);
}

User user_of_block(const Inventory& inventory, std::string_view block, Message what) {
    User user;
    user.what = std::move(what);
    user.needs = inventory.block_chain(block);
    user.needs_network = std::any_of(user.needs.begin(), user.needs.end(), is_network_disk);
    return user;
}

// A file system that a paravirtual bus carries: its tag is all that the mount table says.
void add_shared_mount(Inventory& inventory, const Mount& mount) {
    const std::string_view driver = mount.type == "9p" ? "9pnet_virtio" : "virtiofs";
    User user;
    user.what = Message("quiesce.user_mount", {{"source", mount.source}, {"where", mount.where}});
    for (const auto& [path, device] : inventory.devices) {
        if (device.driver == driver) {
            user.needs.push_back(path);
        }
    }
    inventory.users.push_back(std::move(user));
}

void add_mounts(const Root& root, Inventory& inventory) {
    for (const auto& mount : read_mounts(root)) {
        if (is_network_file_system(mount.type)) {
            User user;
            user.what = Message("quiesce.user_mount", {{"source", mount.source}, {"where", mount.where}});
            user.needs_network = true;
            inventory.users.push_back(std::move(user));
            continue;
        }
        if (mount.type == "9p" || mount.type == "virtiofs") {
            add_shared_mount(inventory, mount);
            continue;
        }
        std::string block;
        for (const auto& [name, candidate] : inventory.blocks) {
            if (candidate.number == mount.number) {
                block = name;
            }
        }
        if (block.empty()) {
            block = block_of(inventory, root, mount.source);  // btrfs shows an anonymous number
        }
        if (!block.empty()) {
            // The kernel's own name: a table may say /dev/root, or a link that udev made.
            inventory.users.push_back(user_of_block(
                inventory, block,
                Message("quiesce.user_mount", {{"source", "/dev/" + block}, {"where", mount.where}})));
        }
    }
}

void add_swaps(const Root& root, Inventory& inventory) {
    const auto text = root.read_file("/proc/swaps", max_table_bytes);
    bool heading = true;
    for (const auto& line : split(text ? *text : std::string(), "\n")) {
        const auto fields = split(line, " \t");
        if (std::exchange(heading, false) || fields.empty()) {
            continue;
        }
        const std::string source = unescape(fields[0]);
        const std::string block = block_of(inventory, root, source);
        if (!block.empty()) {
            inventory.users.push_back(
                user_of_block(inventory, block, Message("quiesce.user_swap", {{"source", source}})));
        }
    }
}

// A block device on other block devices holds them open, mounted or not.
void add_stacked(Inventory& inventory) {
    for (const auto& [name, block] : inventory.blocks) {
        if (block.stands_on.empty()) {
            continue;
        }
        const auto below = block.stands_on.front();
        if (!block.dm_name.empty()) {
            inventory.users.push_back(user_of_block(
                inventory, name, Message("quiesce.user_dm", {{"name", block.dm_name}, {"source", below}})));
        } else if (!block.md_level.empty()) {
            inventory.users.push_back(user_of_block(
                inventory, name,
                Message("quiesce.user_md", {{"name", name}, {"level", block.md_level}, {"source", below}})));
        } else if (!block.backing_file.empty()) {
            inventory.users.push_back(user_of_block(
                inventory, name, Message("quiesce.user_loop", {{"name", name}, {"source", block.backing_file}})));
        } else {
            inventory.users.push_back(user_of_block(
                inventory, name, Message("quiesce.user_block", {{"name", name}, {"source", below}})));
        }
    }
}

// proc(5): "ttyS0                -W- (EC p a)    4:64"
void read_consoles(const Root& root, Inventory& inventory) {
    const auto text = root.read_file("/proc/consoles", max_table_bytes);
    for (const auto& line : split(text ? *text : std::string(), "\n")) {
        const auto fields = split(line, " ");
        if (fields.empty()) {
            continue;
        }
        Console console;
        console.name = fields.front();
        if (fields.back().find(':') != std::string::npos) {
            console.path = follow_link(root, "/sys/dev/char/" + fields.back());
        }
        inventory.consoles.push_back(std::move(console));
    }
}

bool holds_graphics(const Root& root, const std::string& pid) {
    const auto descriptors = root.list("/proc/" + pid + "/fd");
    for (const auto& descriptor : descriptors ? *descriptors : std::vector<std::string>{}) {
        const auto target = root.read_link("/proc/" + pid + "/fd/" + descriptor);
        if (target && (target->starts_with("/dev/dri/") || target->starts_with("/dev/nvidia"))) {
            return true;
        }
    }
    return false;
}

bool graphics_in_use(const Root& root, const Inventory& inventory) {
    const auto has_graphics = [](const auto& entry) {
        const auto& driver = entry.second.driver;
        return driver == "nouveau" || driver == "nvidia";
    };
    if (std::none_of(inventory.devices.begin(), inventory.devices.end(), has_graphics)) {
        return false;
    }
    const auto pids = root.list("/proc");
    return pids && std::any_of(pids->begin(), pids->end(), [&](const std::string& pid) {
               return pid.find_first_not_of("0123456789") == pid.npos && holds_graphics(root, pid);
           });
}

}  // namespace

std::string block_of(const Inventory& inventory, const Root& root, std::string_view node) {
    if (node.starts_with("/sys/")) {
        for (const auto& [name, block] : inventory.blocks) {
            if (block.path == node) {
                return name;
            }
        }
        return {};
    }
    if (!node.starts_with("/dev/")) {
        return {};
    }
    const auto resolved = root.canonical(node);  // /dev/mapper/x and /dev/disk/by-* are links
    const std::string name(last_component(resolved ? std::string_view(*resolved) : node));
    return inventory.blocks.contains(name) ? name : std::string();
}

void read_users(const Root& root, Inventory& inventory) {
    add_mounts(root, inventory);
    add_swaps(root, inventory);
    add_stacked(inventory);
    read_consoles(root, inventory);
    inventory.graphics_in_use = graphics_in_use(root, inventory);
}

}  // namespace stillboot::quiesce
