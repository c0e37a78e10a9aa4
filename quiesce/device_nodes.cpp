// SPDX-License-Identifier: Apache-2.0
// Names of nodes by the `uevent` file of their devices.
#include "quiesce/device_nodes.hpp"

#include <unistd.h>

#include <algorithm>

#include "quiesce/inventory.hpp"
#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {
namespace {

constexpr std::string_view deleted =
    " (deleted)";  // proc(5): what is unlinked, as those of a device that has gone

std::string node_of(const Root& root, const std::string& path) {
    constexpr std::string_view key = "DEVNAME=";
    const auto text = root.read_file(path + "/uevent", 4096);
    for (const auto& line : split(text.value_or(""), "\n")) {
        if (line.starts_with(key)) {
            return "/dev/" + line.substr(key.size());
        }
    }
    return {};
}

}  // namespace

DeviceNodes::DeviceNodes(const Root& root) {
    for (const std::string directory : {"/sys/dev/char", "/sys/dev/block"}) {
        const auto names = root.list(directory);
        for (const auto& name : names ? *names : std::vector<std::string>{}) {
            const std::string path = follow_link(root, directory + "/" + name);
            // What stands on no device (null, a pseudo terminal) is of no interest, and there is much of it.
            if (path.empty() || path.starts_with("/sys/devices/virtual/")) {
                continue;
            }
            if (std::string node = node_of(root, path); !node.empty()) {
                device_of_[std::move(node)] = path;
            }
        }
    }
}

std::vector<Holder> DeviceNodes::holders(const Root& root, std::string_view device_path) const {
    auto found = holders_of(root, [&](std::string_view node) {
        if (node.ends_with(deleted)) {
            node.remove_suffix(deleted.size());
        }
        const auto device = device_of_.find(node);
        return device != device_of_.end() && is_below(device->second, device_path);
    });
    std::erase_if(found, [own = std::to_string(::getpid())](const Holder& holder) { return holder.pid == own; });
    return found;
}

}  // namespace stillboot::quiesce
