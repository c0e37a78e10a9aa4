// SPDX-License-Identifier: Apache-2.0
// From nodes to places and back, by sysfs alone: udev's links come later than the devices. What udev says of each
// device is in its database, as libudev reads it.
#include "quiesce/block_place.hpp"

#include <algorithm>

#include "quiesce/record.hpp"
#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {
namespace {

constexpr std::string_view blocks = "/sys/class/block/";
constexpr std::size_t max_udev_bytes = std::size_t{1} << 20;

constexpr std::string_view dev = "/dev/";

}  // namespace

std::string node_of_name(std::string name) {
    std::replace(name.begin(), name.end(), '!', '/');
    return std::string(dev) + name;
}

BlockPaths paths_of(const Root& root, const std::string& node) {
    if (!node.starts_with(dev)) {
        return {};
    }
    std::string name = node.substr(dev.size());
    std::replace(name.begin(), name.end(), '/', '!');
    const auto path = root.canonical(std::string(blocks) + name);
    if (!path) {
        return {};
    }
    return {*path, root.exists(*path + "/partition") ? path->substr(0, path->rfind('/')) : *path};
}

BlockPlace place_of(const Root& root, const std::string& node) {
    const BlockPaths paths = paths_of(root, node);
    if (paths.device.empty()) {
        return {};
    }
    return {stable_identity(paths.disk), stable_name(root, SysfsDirectory(root, paths.disk)),
            attribute_or_empty(root, paths.device + "/partition")};
}

std::optional<std::string> node_at(const Root& root, const BlockPlace& place, const std::string& before) {
    const auto names = root.list(blocks);
    std::vector<std::string> found;
    for (const std::string& name : names && !place.disk.empty() ? *names : std::vector<std::string>()) {
        const std::string node = node_of_name(name);
        if (place_of(root, node) == place) {
            found.push_back(node);
        }
    }
    if (found.size() == 1) {
        return found.front();
    }
    const auto same = std::find(found.begin(), found.end(), before);
    return same == found.end() ? std::nullopt : std::optional(*same);
}

std::vector<std::string> nodes_of_link(const Root& root, std::string_view link) {
    const std::string line = "\nS:" + std::string(link) + "\n";
    std::vector<std::string> nodes;
    const auto names = root.list(blocks);
    for (const std::string& name : names ? *names : std::vector<std::string>()) {
        const auto number = attribute_or_empty(root, std::string(blocks) + name + "/dev");
        const auto said = root.read_file("/run/udev/data/b" + number, max_udev_bytes);
        if (said && ("\n" + *said).find(line) != std::string::npos) {
            nodes.push_back(node_of_name(name));
        }
    }
    return nodes;
}

}  // namespace stillboot::quiesce
