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

// A slash of a node is written so in sysfs.
std::string with(std::string text, char from, char to) {
    std::replace(text.begin(), text.end(), from, to);
    return text;
}

}  // namespace

BlockPlace place_of(const Root& root, const std::string& node) {
    constexpr std::string_view dev = "/dev/";
    const auto path = node.starts_with(dev)
                          ? root.canonical(std::string(blocks) + with(node.substr(dev.size()), '/', '!'))
                          : Result<std::string>(std::string());
    if (!path || path->empty()) {
        return {};
    }
    BlockPlace place;
    place.partition = attribute_or_empty(root, *path + "/partition");
    const std::string disk = place.partition.empty() ? *path : path->substr(0, path->rfind('/'));
    place.disk = stable_identity(disk);
    place.wwid = stable_name(root, SysfsDirectory(root, disk));
    return place;
}

std::optional<std::string> node_at(const Root& root, const BlockPlace& place, const std::string& before) {
    const auto names = root.list(blocks);
    std::vector<std::string> found;
    for (const std::string& name : names && !place.disk.empty() ? *names : std::vector<std::string>()) {
        const std::string node = "/dev/" + with(name, '!', '/');
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
            nodes.push_back("/dev/" + with(name, '!', '/'));
        }
    }
    return nodes;
}

}  // namespace stillboot::quiesce
