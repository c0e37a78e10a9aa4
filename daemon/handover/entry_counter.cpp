// SPDX-License-Identifier: Apache-2.0
// From a try to a rename on a mounted file system.
#include "daemon/handover/entry_counter.hpp"

#include <thread>

#include "daemon/state/entry_files.hpp"

namespace stillboot::handover {
namespace {

Result<void> rename_on(const std::string& node, const EntryFile& file, const std::string& from,
                       const std::string& to) {
    return state::on_writable(node, file.filesystem, [directory = file.directory, from, to](const Root& root) {
        return state::rename_entry(root, directory, from, to);
    });
}

// As udev calls it below /dev; empty where there is none.
std::string link_of(const DeviceRef& device) {
    const bool by_partition = device.kind == DeviceRef::Kind::partuuid;
    if ((!by_partition && device.kind != DeviceRef::Kind::uuid) || device.value.find('/') != std::string::npos) {
        return {};
    }
    return (by_partition ? "disk/by-partuuid/" : "disk/by-uuid/") + device.value;
}

}  // namespace

std::optional<std::string> node_of(const Root& root, const DeviceRef& device) {
    const std::string link = link_of(device);
    const auto node = link.empty() ? Result<std::string>(link) : root.canonical("/dev/" + link);
    return node && node->starts_with("/dev/") ? std::optional(*node) : std::nullopt;
}

std::vector<std::string> nodes_of(const Root& root, const DeviceRef& device) {
    const std::string link = link_of(device);
    auto nodes = link.empty() ? std::vector<std::string>() : quiesce::nodes_of_link(root, link);
    const auto shown = node_of(root, device);
    if (nodes.empty() && shown) {
        nodes.push_back(*shown);
    }
    return nodes;
}

Result<void> on_entries(const std::string& node, std::function<Result<void>(const Root&)> act) {
    return state::on_writable(node, "", std::move(act));
}

// Where its place is known, that alone: what has its UUID may be a copy.
std::optional<std::string> EntryCounter::node_now(const EntryFile& file) const {
    if (!file.place.disk.empty()) {
        auto node = quiesce::node_at(root_, file.place, file.node);
        return node && root_.exists(*node) ? node : std::nullopt;
    }
    if (file.device.is_self() && root_.exists(file.node)) {
        return file.node;
    }
    return node_of(root_, file.device);
}

// What was bound again may be another node than before, and is some moments late.
std::optional<std::string> EntryCounter::await_node(const EntryFile& file) const {
    constexpr std::chrono::milliseconds pause{100};
    const auto until = std::chrono::steady_clock::now() + patience_;
    for (;;) {
        if (auto node = node_now(file)) {
            return node;
        }
        if (std::chrono::steady_clock::now() >= until) {
            return std::nullopt;
        }
        std::this_thread::sleep_for(pause);
    }
}

Result<void> EntryCounter::take(const Try& one) {
    return rename_on(one.file.node, one.file, one.file.name, one.after);
}

Result<void> EntryCounter::give_back(const Try& one) {
    const auto node = await_node(one.file);
    if (!node) {
        return Error("handover.entry_device_gone", {{"name", one.file.path()}});
    }
    return rename_on(*node, one.file, one.after, one.file.name);
}

}  // namespace stillboot::handover
