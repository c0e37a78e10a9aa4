// SPDX-License-Identifier: Apache-2.0
// Finding the state store.
#include "daemon/state/choice.hpp"

#include "daemon/state/efi_store.hpp"
#include "daemon/state/partition_store.hpp"

namespace stillboot::state {
namespace {

std::string find_node(const Root& root, const std::string& path) {
    const auto node = root.canonical(path);
    return node && node->starts_with("/dev/") ? *node : std::string();
}

// A stick that somebody plugs in must not tell this machine what to boot.
bool is_removable(const Root& root, const std::string& node) {
    const auto path = root.canonical("/sys/class/block/" + node.substr(5));
    if (!path) {
        return false;
    }
    const auto disk = root.exists(*path + "/partition") ? path->substr(0, path->rfind('/')) : *path;
    return root.read_attribute(disk + "/removable").value_or("0") == "1";
}

}  // namespace

std::string find_store(const Root& root, const std::string& setting) {
    if (setting == "none") {
        return {};
    }
    if (!setting.empty() && setting != "efi") {
        return find_node(root, setting);
    }
    if (setting.empty()) {
        std::string node = find_node(root, "/dev/disk/by-label/" + std::string(quiesce::state_store_label));
        if (!node.empty() && !is_removable(root, node)) {
            return node;
        }
    }
    return platform::EfiVariables::open(root) ? std::string(EfiStore::words) : std::string();
}

std::unique_ptr<quiesce::StateStore> open_store(const Root& root, const std::string& setting) {
    const std::string place = find_store(root, setting);
    if (place.empty()) {
        return nullptr;
    }
    if (place != EfiStore::words) {
        return std::make_unique<PartitionStore>(place);
    }
    auto variables = platform::EfiVariables::open(root);
    return variables ? std::make_unique<EfiStore>(std::move(*variables)) : nullptr;
}

}  // namespace stillboot::state
