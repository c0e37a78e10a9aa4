// SPDX-License-Identifier: Apache-2.0
// What a block device holds, by libblkid, and whether its journal still holds changes.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "config/base/result.hpp"
#include "config/model/scan_result.hpp"

namespace stillboot::probe {

/// A file system that this build mounts.
struct FileSystem {
    std::string type;  ///< "ext4", "vfat", … as the kernel names it
    std::string uuid;  ///< as blkid writes it
    std::string label;
    bool journal_pending = false;  ///< changes stand in its journal or log that the view does not show
};

using Identity = std::variant<FileSystem, Container, Nothing>;

/// Reads the first and last blocks of a device (or image file) and says what it is. The descriptor is only read.
/// Hostile input: call it without privileges (identify_confined).
/// @error probe.device_unreadable
[[nodiscard]] Result<Identity> identify(int fd, const std::string& node);

/// The same in a forked child that has no capability, no file but this one and few system calls.
/// @error as identify, probe.identify_crashed where the child did not end well
/// Blocking: until the child has ended; the caller's parent holds the deadline. Thread: the only one.
[[nodiscard]] Result<Identity> identify_confined(int fd, const std::string& node);

}  // namespace stillboot::probe
