// SPDX-License-Identifier: Apache-2.0
// A disk or partition by where it is, for its name may be another one's after it was bound again.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/root.hpp"

namespace stillboot::quiesce {

/// By what stays the same when names change. Not by a UUID, which a copied disk has, too.
struct BlockPlace {
    std::string disk;       ///< stable_identity of the disk's sysfs path; empty where that is not known
    std::string wwid;       ///< what the disk says it is, or empty
    std::string partition;  ///< its number; empty for the whole disk

    bool operator==(const BlockPlace&) const = default;
};

/// The node of a block device by its name in sysfs, which writes the slash of "cciss/c0d0" as "!".
[[nodiscard]] std::string node_of_name(std::string name);

/// The sysfs path of the block device of a node ("/dev/sda1"), and of the disk that it is on. Both are empty where
/// it is none.
struct BlockPaths {
    std::string device;
    std::string disk;
};
[[nodiscard]] BlockPaths paths_of(const Root& root, const std::string& node);

/// Where the block device of a node ("/dev/sda1") is.
[[nodiscard]] BlockPlace place_of(const Root& root, const std::string& node);

/// The node of the block device that is there now. Where several may be meant (ports of one controller, with disks
/// that do not say which they are), the one called as before; nothing where that is none of them.
[[nodiscard]] std::optional<std::string> node_at(const Root& root, const BlockPlace& place,
                                                 const std::string& before);

/// The nodes of all block devices that udev would give this link ("disk/by-uuid/1234-5678"): it shows one of them,
/// and not always the same.
[[nodiscard]] std::vector<std::string> nodes_of_link(const Root& root, std::string_view link);

}  // namespace stillboot::quiesce
