// SPDX-License-Identifier: Apache-2.0
// What udev says about a block device, and what follows from it. No I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/message.hpp"
#include "daemon/registry/registry.hpp"

namespace stillboot::discover {

/// The facts of one block device. Texts are decoded (udev writes "\x20" for a blank).
struct BlockFacts {
    std::string devpath;       ///< below /sys: names the device for as long as it is there
    std::string disk_devpath;  ///< of the whole disk; its own for a whole disk
    std::string name;          ///< "sda2"
    std::string node;          ///< "/dev/sda2"
    bool is_partition = false;
    unsigned partition = 0;  ///< its number
    std::string id_path;     ///< ID_PATH
    std::string serial;      ///< ID_SERIAL
    std::string model;
    std::string bus;  ///< ID_BUS
    bool removable = false;
    bool has_medium = true;
    std::uint64_t size_bytes = 0;
    std::string filesystem;  ///< ID_FS_TYPE
    std::string uuid;
    std::string label;
    std::string partuuid;
    std::string partlabel;
    bool has_partition_table = false;

    bool operator==(const BlockFacts&) const = default;
};

/// True for devices that are never looked at: loop (the scans' own views among them), ram, zram, floppy, network
/// block devices that are not connected, and device-mapper nodes, which nobody makes before this build can open
/// what is below them.
[[nodiscard]] bool is_ignored(std::string_view kernel_name);

/// The id that is the same after a reboot: ID_PATH with the partition's number; the serial number where there is
/// no path, and the kernel's own path where there is neither.
[[nodiscard]] std::string stable_id(const BlockFacts& facts);

/// What a person calls it: "Samsung SSD 980, part 2".
[[nodiscard]] std::string title_of(const BlockFacts& facts);

/// Why a device is not scanned: no medium, no bytes, or a partition table and nothing else. Empty where it is.
[[nodiscard]] std::optional<Message> why_not_scanned(const BlockFacts& facts);

[[nodiscard]] registry::DeviceRecord record_of(const BlockFacts& facts, std::string id, std::string disk_id);

/// "\x20" and the like decoded, as udev encodes values (libudev, udev_util_encode_string).
[[nodiscard]] std::string decode_udev(std::string_view text);

}  // namespace stillboot::discover
