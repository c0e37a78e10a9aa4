// SPDX-License-Identifier: Apache-2.0
// Which file system a state store lies on, before and whenever it is mounted: names of devices change.
#pragma once

#include <optional>
#include <string>

namespace stillboot::state {

struct Superblock {
    std::string type;   ///< "vfat" or "ext4", by which driver it is mounted
    std::string label;  ///< without the blanks at its end
    std::string uuid;   ///< as libblkid writes it

    bool operator==(const Superblock&) const = default;
};

/// What the superblock at the start of a block device (or a file) says; nothing where it is neither FAT nor ext2
/// to ext4. Blocking.
[[nodiscard]] std::optional<Superblock> read_superblock(int fd);

}  // namespace stillboot::state
