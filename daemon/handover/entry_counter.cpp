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

}  // namespace

std::optional<std::string> node_of(const Root& root, const DeviceRef& device) {
    const bool by_partition = device.kind == DeviceRef::Kind::partuuid;
    if ((!by_partition && device.kind != DeviceRef::Kind::uuid) || device.value.find('/') != std::string::npos) {
        return std::nullopt;
    }
    const auto node =
        root.canonical(std::string(by_partition ? "/dev/disk/by-partuuid/" : "/dev/disk/by-uuid/") + device.value);
    return node && node->starts_with("/dev/") ? std::optional(*node) : std::nullopt;
}

Result<void> on_entries(const std::string& node, std::function<Result<void>(const Root&)> act) {
    return state::on_writable(node, "", std::move(act));
}

// What was bound again may be another node than before, and is some moments late.
std::optional<std::string> EntryCounter::await_node(const EntryFile& file) const {
    constexpr std::chrono::milliseconds pause{100};
    const auto until = std::chrono::steady_clock::now() + patience_;
    for (;;) {
        if (file.device.is_self() && root_.exists(file.node)) {
            return file.node;
        }
        if (auto node = node_of(root_, file.device)) {
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
