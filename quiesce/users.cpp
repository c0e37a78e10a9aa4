// SPDX-License-Identifier: Apache-2.0
// What would lose its device: mounts, swaps, stacked block devices; consoles; open graphics and sound nodes.
#include "quiesce/users.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <utility>

#include "quiesce/holders.hpp"
#include "quiesce/mounts.hpp"
#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {
namespace {

bool is_network_file_system(std::string_view type) {
    constexpr std::array<std::string_view, 14> types = {
        "nfs",    "nfs4",   "cifs",       "smb3",           "ceph",      "afs",  "ncpfs",
        "lustre", "beegfs", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "coda", "orangefs"};
    return std::find(types.begin(), types.end(), type) != types.end();
}

// Disks that come over a network: iSCSI in software, NVMe over fabrics, nbd, rbd, drbd, AoE.
bool is_network_disk(std::string_view path) {
    constexpr std::string_view virtual_blocks = "/sys/devices/virtual/block/";
    constexpr std::string_view session = "/session";
    if (path.starts_with("/sys/devices/rbd/")) {  // drivers/block/rbd.c, rbd_root_dev
        return true;
    }
    if (path.starts_with(virtual_blocks)) {
        constexpr std::array<std::string_view, 3> names = {"nbd", "drbd", "etherd"};
        path.remove_prefix(virtual_blocks.size());
        return std::any_of(names.begin(), names.end(),
                           [&](std::string_view name) { return path.starts_with(name); });
    }
    const std::size_t at = path.starts_with("/sys/devices/platform/") ? path.find(session) : path.npos;
    return path.find("/nvme-fabrics/") != path.npos ||
           (at != path.npos && path.substr(at + session.size(), 1).find_first_of("0123456789") == 0);
}

/// Adds the users of block devices: what is mounted and swapped to, and what stands on them.
class BlockUsers {
public:
    BlockUsers(const Root& root, Inventory& inventory, std::vector<Mount> mounts)
        : root_(root), inventory_(inventory), mounts_(std::move(mounts)) {
        for (const auto& [name, block] : inventory.blocks) {
            by_number_[block.number] = name;
        }
        read_btrfs();
    }

    Result<void> run() {
        for (const auto& mount : mounts_) {
            add_mount(mount);
        }
        if (auto added = add_swaps(); !added) {
            return added;
        }
        for (const auto& [name, block] : inventory_.blocks) {
            if (!block.stands_on.empty() || !block.backing_file.empty()) {
                add_stacked(name, block);
            }
        }
        return {};
    }

private:
    // A file system of several devices is mounted from one of them, and needs them all.
    void read_btrfs() {
        const auto systems = root_.list("/sys/fs/btrfs");
        for (const auto& system : systems ? *systems : std::vector<std::string>{}) {
            const auto members = root_.list("/sys/fs/btrfs/" + system + "/devices");
            for (const auto& member : members ? *members : std::vector<std::string>{}) {
                btrfs_[member] = *members;
            }
        }
    }

    [[nodiscard]] std::vector<std::string> blocks_of(const Mount& mount) const {
        auto blocks = main_blocks_of(mount);
        for (const auto& node : mount.also) {
            if (auto block = block_of(inventory_, root_, node); !block.empty()) {
                blocks.push_back(std::move(block));
            }
        }
        return blocks;
    }

    [[nodiscard]] std::vector<std::string> main_blocks_of(const Mount& mount) const {
        if (const auto found = by_number_.find(mount.number); found != by_number_.end()) {
            return {found->second};
        }
        std::vector<std::string> blocks;
        for (const auto& node : split(mount.source, mount.type == "bcachefs" ? ":" : "")) {
            const std::string block = block_of(inventory_, root_, node);
            const auto several = btrfs_.find(block);
            if (several != btrfs_.end() && mount.type == "btrfs") {
                return several->second;
            }
            if (!block.empty()) {
                blocks.push_back(block);
            }
        }
        return blocks;
    }

    // Nothing says which disks a pool lies on.
    [[nodiscard]] std::vector<std::string> every_disk() const {
        std::vector<std::string> blocks;
        for (const auto& [name, block] : inventory_.blocks) {
            blocks.push_back(name);
        }
        return blocks;
    }

    void need(User& user, const std::vector<std::string>& blocks) const {
        for (const auto& block : blocks) {
            const auto chain = inventory_.block_chain(block);
            user.needs.insert(user.needs.end(), chain.begin(), chain.end());
        }
        user.needs_network = std::any_of(user.needs.begin(), user.needs.end(), is_network_disk);
    }

    void add_mount(const Mount& mount) {
        const bool pool = mount.type == "zfs";
        const auto blocks = pool ? every_disk() : blocks_of(mount);
        User user;
        if (is_network_file_system(mount.type)) {
            user.needs_network = true;
        } else if (mount.type == "9p" || mount.type == "virtiofs") {
            add_shared(mount, user);
        } else if (blocks.empty()) {
            return;
        } else {
            need(user, blocks);
            // A pool writes by itself.
            user.passive = mount.file_system_read_only && !pool && !user.needs_network;
        }
        // The kernel's own name: a table may say /dev/root, or a link that udev made.
        const std::string source = pool || blocks.empty() ? mount.source : "/dev/" + blocks.front();
        if (mount.holder.empty()) {
            seen_.insert(source);
            user.what = Message("quiesce.user_mount", {{"source", source}, {"where", mount.where}});
        } else if (shows_a_device(blocks) || !seen_.insert(source).second) {
            return;  // most of what other name spaces show is ours as well
        } else {
            user.what = Message("quiesce.user_mount_elsewhere",
                                {{"source", source}, {"where", mount.where}, {"process", mount.holder}});
        }
        inventory_.users.push_back(std::move(user));
    }

    // A loop device over a device is a user of its own, and its mount ends with it.
    [[nodiscard]] bool shows_a_device(const std::vector<std::string>& blocks) const {
        return blocks.size() == 1 &&
               inventory_.blocks.find(blocks.front())->second.backing_file.starts_with("/dev/");
    }

    // A file system that a paravirtual bus carries: its tag is all that the mount table says.
    void add_shared(const Mount& mount, User& user) const {
        const std::string_view driver = mount.type == "9p" ? "9pnet_virtio" : "virtiofs";
        for (const auto& [path, device] : inventory_.devices) {
            if (device.driver == driver) {
                user.needs.push_back(path);
            }
        }
    }

    // The block devices under a file; none where it lies in memory or on a network.
    [[nodiscard]] std::vector<std::string> blocks_under(std::string_view file) const {
        const Mount* mount = mount_of_file(mounts_, file);
        return mount == nullptr ? std::vector<std::string>{} : blocks_of(*mount);
    }

    Result<void> add_swaps() {
        const auto text = read_table(root_, "/proc/swaps");
        if (!text) {  // a kernel without swap has no such table
            return text.error().error_number() == ENOENT ? Result<void>() : text.error();
        }
        bool heading = true;
        for (const auto& line : split(*text, "\n")) {
            const auto fields = split(line, " \t");
            if (std::exchange(heading, false) || fields.empty()) {
                continue;
            }
            const std::string source = unescape_octal(fields[0]);
            const std::string block = block_of(inventory_, root_, source);
            const auto blocks = block.empty() ? blocks_under(source) : std::vector<std::string>{block};
            if (!blocks.empty()) {
                User user;
                user.what = Message("quiesce.user_swap", {{"source", source}});
                need(user, blocks);
                inventory_.users.push_back(std::move(user));
            }
        }
        return {};
    }

    // A block device on other block devices holds them open, mounted or not.
    void add_stacked(const std::string& name, const BlockDevice& block) {
        User user;
        if (block.stands_on.empty()) {
            const auto blocks = blocks_under(block.backing_file);
            if (blocks.empty()) {
                return;
            }
            need(user, blocks);
        } else {
            need(user, {name});
        }
        user.passive = !keeps_its_own_records(block) && !user.needs_network;
        user.what = words_of_stack(name, block);
        inventory_.users.push_back(std::move(user));
    }

    // An array or a cache (md, bcache, LVM's) writes by itself, if only which of its members were taken from it.
    static bool keeps_its_own_records(const BlockDevice& block) {
        constexpr std::array<std::string_view, 5> members = {"_rimage_", "_rmeta_", "_mimage_", "_cdata",
                                                             "_cmeta"};
        const bool plain = !block.dm_name.empty() || !block.backing_file.empty();
        return !plain || std::any_of(members.begin(), members.end(), [&](std::string_view part) {
            return block.dm_name.find(part) != block.dm_name.npos;
        });
    }

    static Message words_of_stack(const std::string& name, const BlockDevice& block) {
        if (!block.backing_file.empty()) {
            return Message("quiesce.user_loop", {{"name", name}, {"source", block.backing_file}});
        }
        const std::string& below = block.stands_on.front();
        if (!block.md_level.empty()) {
            return Message("quiesce.user_md", {{"name", name}, {"level", block.md_level}, {"source", below}});
        }
        const std::string& shown = block.dm_name.empty() ? name : block.dm_name;
        // What the tools that make them begin their uuids with.
        const std::string_view code = block.dm_kind == "LVM"     ? "quiesce.user_lvm"
                                      : block.dm_kind == "CRYPT" ? "quiesce.user_crypt"
                                      : block.dm_kind == "mpath" ? "quiesce.user_multipath"
                                      : !block.dm_name.empty()   ? "quiesce.user_dm"
                                                                 : "quiesce.user_block";
        return Message(code, {{"name", shown}, {"source", below}});
    }

    const Root& root_;
    Inventory& inventory_;
    std::vector<Mount> mounts_;
    std::map<std::string, std::string, std::less<>> by_number_;
    std::map<std::string, std::vector<std::string>, std::less<>> btrfs_;
    std::set<std::string> seen_;
};

// proc(5): "ttyS0                -W- (EC p a)    4:64"
Result<void> read_consoles(const Root& root, Inventory& inventory) {
    const auto text = read_table(root, "/proc/consoles");
    if (!text) {  // a kernel without terminals has no such table
        return text.error().error_number() == ENOENT ? Result<void>() : text.error();
    }
    for (const auto& line : split(*text, "\n")) {
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
    return {};
}

// The sysfs path behind a node of a class, by its name; empty where there is none.
std::string class_path(const Root& root, std::string_view class_name, std::string_view node) {
    return follow_link(root, "/sys/class/" + std::string(class_name) + "/" + std::string(last_component(node)));
}

bool waits_for_graphics(std::string_view driver) {
    return driver == "nouveau" || driver == "nvidia";
}

/// Adds what processes hold open: the remove of a sound card and of a device that was given to a program (vfio)
/// waits for them, and a display's takes their picture away.
class NodeUsers {
public:
    NodeUsers(const Root& root, Inventory& inventory) : root_(root), inventory_(inventory) {}

    void run() {
        if (!is_worth_a_look()) {
            return;
        }
        const auto wanted = [](std::string_view node) {
            return node.starts_with("/dev/dri/") || node.starts_with("/dev/nvidia") ||
                   node.starts_with("/dev/snd/") || node.starts_with("/dev/vfio/");
        };
        for (const auto& holder : holders_of(root_, wanted)) {
            if (holder.node.starts_with("/dev/vfio/")) {
                for (const auto& path : devices_of_vfio(holder.node)) {
                    add("quiesce.user_vfio", holder, path);
                }
            } else if (holder.node.starts_with("/dev/snd/")) {
                add("quiesce.user_sound", holder, class_path(root_, "sound", holder.node));
            } else {
                add_graphics(holder);
            }
        }
    }

private:
    // Looking through every process takes its time.
    [[nodiscard]] bool is_worth_a_look() const {
        const auto drives_graphics = [](const auto& entry) { return waits_for_graphics(entry.second.driver); };
        return root_.exists("/sys/class/sound") || root_.exists("/sys/class/drm") || root_.exists("/dev/vfio") ||
               std::any_of(inventory_.devices.begin(), inventory_.devices.end(), drives_graphics);
    }

    // /dev/vfio/12 is a group of devices that an IOMMU cannot tell apart, /dev/vfio/devices/vfio0 one device.
    [[nodiscard]] std::vector<std::string> devices_of_vfio(std::string_view node) const {
        if (node.starts_with("/dev/vfio/devices/")) {
            return {class_path(root_, "vfio-dev", node)};
        }
        std::string_view number = last_component(node);
        number.remove_prefix(number.starts_with(no_iommu) ? no_iommu.size() : 0);
        const std::string group = "/sys/kernel/iommu_groups/" + std::string(number) + "/devices";
        std::vector<std::string> paths;
        const auto names = root_.list(group);
        for (const auto& name : names ? *names : std::vector<std::string>{}) {
            paths.push_back(follow_link(root_, group + "/" + name));
        }
        return paths;
    }

    void add_graphics(const Holder& holder) {
        const std::string path = class_path(root_, "drm", holder.node);
        const Device* device = inventory_.bound_at_or_above(path);
        if (device != nullptr && !waits_for_graphics(device->driver)) {
            add("quiesce.user_graphics", holder, path);
        } else if (inventory_.graphics_holder.empty()) {
            inventory_.graphics_holder = holder.words();
        }
    }

    // Once for a process and a device, of which it often holds many nodes.
    void add(std::string_view code, const Holder& holder, const std::string& path) {
        const Device* device = inventory_.bound_at_or_above(path);
        if (device != nullptr && seen_.emplace(holder.pid, device->path).second) {
            User user;
            user.what = Message(code, {{"process", holder.words()}, {"node", holder.node}});
            user.needs = {path};
            inventory_.users.push_back(std::move(user));
        }
    }

    static constexpr std::string_view no_iommu = "noiommu-";  // drivers/vfio/group.c, vfio_group_create

    const Root& root_;
    Inventory& inventory_;
    std::set<std::pair<std::string, std::string>> seen_;
};

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

Result<void> read_users(const Root& root, Inventory& inventory) {
    auto mounts = read_mounts(root);
    if (!mounts) {
        return mounts.error();
    }
    if (auto read = BlockUsers(root, inventory, *std::move(mounts)).run(); !read) {
        return read;
    }
    if (auto read = read_consoles(root, inventory); !read) {
        return read;
    }
    NodeUsers(root, inventory).run();
    return {};
}

}  // namespace stillboot::quiesce
