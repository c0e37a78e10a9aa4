// SPDX-License-Identifier: Apache-2.0
// What sysfs and proc say about devices: who is bound to what, in which order, standing on whom, used by whom.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/root.hpp"

namespace stillboot::quiesce {

struct PciFunction {
    std::uint32_t class_code = 0;  ///< 24 bits: base class, sub-class, interface
    std::uint16_t vendor = 0;
    std::uint16_t device = 0;

    /// True for host, ISA, PCI and other plain bridges, which are never touched. A non-transparent bridge
    /// (class 0680) moves data of its own and counts as an endpoint.
    [[nodiscard]] bool is_bridge() const;
    bool operator==(const PciFunction&) const = default;
};

/// A device on a bus, bound or (on PCI) not.
struct Device {
    std::string path;    ///< "/sys/devices/pci0000:00/0000:00:04.0"
    std::string name;    ///< as its bus knows it: "0000:00:04.0"
    std::string bus;     ///< "pci"
    std::string driver;  ///< "nvme", or empty where none is bound
    /// Grows with each bind: the inode number of the `driver` link (kernfs allots them from one counter).
    std::uint64_t bind_order = 0;
    bool can_unbind = false;  ///< the driver has an `unbind` file (no suppress_bind_attrs)
    std::string modalias;
    std::optional<PciFunction> pci;
    std::uint32_t virtual_functions = 0;  ///< `sriov_numvfs` of a physical function
    std::string physical_function;        ///< path of the physical function this virtual one belongs to
    /// Of a PCI function, the ways to reset it, in the order in which the kernel takes them: "flr", "pm", "bus".
    std::vector<std::string> reset_methods;
    std::vector<std::string> suppliers;  ///< paths, by device links that are not dormant
    std::vector<std::string> classes;    ///< what it is to users: "watchdog", "tpm", "net", "block", "drm", …

    [[nodiscard]] bool bound() const { return !driver.empty(); }
    bool operator==(const Device&) const = default;
};

/// A block device (disk, partition, dm, md, loop) and what it stands on.
struct BlockDevice {
    std::string name;                    ///< "nvme0n1p2"
    std::string path;                    ///< below /sys/devices
    std::string number;                  ///< "259:2"
    std::string dm_name;                 ///< of a device-mapper device
    std::string dm_kind;                 ///< what its uuid begins with: "LVM", "CRYPT", "mpath"
    std::string md_level;                ///< of an md array, "raid1"
    std::string wwid;                    ///< wwid, uuid or serial: what stays the same when the name does not
    std::uint64_t sectors = 0;           ///< of 512 bytes
    std::vector<std::string> stands_on;  ///< names of other block devices (slaves, a loop's backing device)
    std::vector<std::string>
        carriers;              ///< sysfs paths of other devices it depends on (NVMe controllers of a path set)
    std::string backing_file;  ///< of a loop device

    bool operator==(const BlockDevice&) const = default;
};

struct NetworkInterface {
    std::string name;
    std::string path;     ///< below /sys/devices
    std::string address;  ///< "52:54:00:12:34:56"
    bool up = false;      ///< IFF_UP
    bool carrier = false;

    bool operator==(const NetworkInterface&) const = default;
};

/// Something that would lose its device: what it is in words, and which sysfs paths it needs.
struct User {
    Message what;                    ///< quiesce.user_mount, quiesce.user_swap, …
    std::vector<std::string> needs;  ///< sysfs paths of block devices or devices under it
    bool needs_network = false;      ///< any network device: an nfs mount, an iSCSI disk
    /// Nothing is written through it, and no look-up waits for it: a local file system that is read-only.
    bool passive = false;

    bool operator==(const User&) const = default;
};

/// An entry of /proc/consoles.
struct Console {
    std::string name;  ///< "ttyS0"
    std::string path;  ///< its sysfs path, or empty

    bool operator==(const Console&) const = default;
};

struct Inventory {
    std::map<std::string, Device, std::less<>> devices;      ///< by path
    std::map<std::string, BlockDevice, std::less<>> blocks;  ///< by name
    std::vector<NetworkInterface> interfaces;
    std::vector<User> users;
    std::vector<Console> consoles;
    std::map<std::string, std::string, std::less<>> autoprobe;  ///< bus to the text of its drivers_autoprobe
    /// Pairs of sysfs paths: the first stands on the second (dm on its disks and the like).
    std::vector<std::pair<std::string, std::string>> stacked;
    /// Who holds a node of a graphics driver open that must not be unbound then: "Xorg (process 812)", or empty.
    std::string graphics_holder;

    bool operator==(const Inventory&) const = default;

    /// The device itself where it is on a bus, else its nearest ancestor that is bound; null where none is.
    [[nodiscard]] const Device* bound_at_or_above(std::string_view path) const;
    /// The sysfs paths that a block device stands on, itself and everything below it in the stack.
    [[nodiscard]] std::vector<std::string> block_chain(std::string_view name) const;
};

/// True where `path` lies below `ancestor` in the device tree (not where they are the same).
[[nodiscard]] bool is_below(std::string_view path, std::string_view ancestor);

/// When an entry of sysfs was made, compared with others: of a device's `driver` link it is the order of the
/// binds.
/// @return a number that grows from entry to entry, 0 where there is none.
using CreationOrder = std::function<std::uint64_t(const Root& root, const std::string& path)>;

/// The inode number, by lstat. Source: fs/kernfs/dir.c, __kernfs_new_node (cyclic ids, a generation above them).
[[nodiscard]] std::uint64_t creation_order_by_inode(const Root& root, const std::string& path);

/// Reads everything from /sys and /proc below the root. What is missing there (no devlink class before
/// Linux 5.8, no swaps) is simply empty. @error base.open_failed where /sys/bus cannot be listed,
/// quiesce.unreadable where it cannot be known what is mounted, quiesce.stack_too_large
[[nodiscard]] Result<Inventory> read_inventory(const Root& root,
                                               const CreationOrder& creation_order = creation_order_by_inode);

/// The driver of each device that has one, by the device's path.
using Bindings = std::map<std::string, std::string, std::less<>>;

/// Reads nothing but who is bound to what, in a small part of the time that an inventory takes.
/// @error base.open_failed where /sys/bus cannot be listed
[[nodiscard]] Result<Bindings> read_bindings(const Root& root);

/// The driver that is bound to a device now, or empty.
[[nodiscard]] std::string current_driver(const Root& root, std::string_view device_path);

}  // namespace stillboot::quiesce
