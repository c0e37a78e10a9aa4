// SPDX-License-Identifier: Apache-2.0
// Finding the state store.
#include "daemon/state/choice.hpp"

#include <vector>

#include "daemon/state/efi_store.hpp"
#include "daemon/state/partition_store.hpp"
#include "quiesce/block_place.hpp"
#include "quiesce/sysfs.hpp"

namespace stillboot::state {
namespace {

std::string find_node(const Root& root, const std::string& path) {
    const auto node = root.canonical(path);
    return node && node->starts_with("/dev/") ? *node : std::string();
}

// A stick that somebody plugs in must not tell this machine what to boot.
bool can_be_taken_away(const Root& root, const std::string& node) {
    const std::string disk = quiesce::paths_of(root, node).disk;
    return !disk.empty() && quiesce::is_removable(disk, quiesce::attribute_or_empty(root, disk + "/removable"));
}

std::vector<std::string> labelled_nodes(const Root& root) {
    auto nodes = quiesce::nodes_of_link(root, "disk/by-label/" + std::string(quiesce::state_store_label));
    std::erase_if(nodes, [&](const std::string& node) { return can_be_taken_away(root, node); });
    return nodes;
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
        const auto nodes = labelled_nodes(root);
        if (!nodes.empty()) {
            return nodes.size() == 1 ? nodes.front() : std::string();
        }
    }
    return platform::EfiVariables::open(root) ? std::string(EfiStore::words) : std::string();
}

Message why_no_store(const Root& root, const std::string& setting) {
    std::string names;
    for (const std::string& node : setting.empty() ? labelled_nodes(root) : std::vector<std::string>()) {
        names += (names.empty() ? "" : ", ") + node;
    }
    return names.empty() ? Message("handover.no_store") : Message("state.several_stores", {{"devices", names}});
}

std::unique_ptr<quiesce::StateStore> open_store(const Root& root, const std::string& setting) {
    const std::string place = find_store(root, setting);
    if (place.empty()) {
        return nullptr;
    }
    if (place != EfiStore::words) {
        return std::make_unique<PartitionStore>(root, place, setting.empty() ? quiesce::state_store_label : "");
    }
    auto variables = platform::EfiVariables::open(root);
    return variables ? std::make_unique<EfiStore>(std::move(*variables)) : nullptr;
}

}  // namespace stillboot::state
