// SPDX-License-Identifier: Apache-2.0
// Identity and title of block devices.
#include "daemon/discover/block_facts.hpp"

#include <algorithm>

#include "quiesce/state_store.hpp"

namespace stillboot::discover {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

bool is_ignored(std::string_view kernel_name) {
    constexpr std::string_view prefixes[] = {"loop", "ram", "zram", "fd", "nbd", "dm-", "mtdblock"};
    return std::any_of(std::begin(prefixes), std::end(prefixes), [&](std::string_view prefix) {
        return kernel_name.starts_with(prefix) && kernel_name.size() > prefix.size() &&
               kernel_name[prefix.size()] >= '0' && kernel_name[prefix.size()] <= '9';
    });
}

std::string stable_id(const BlockFacts& facts) {
    std::string id = facts.id_path;
    if (id.empty() && !facts.serial.empty()) {
        id = "serial-" + facts.serial;
    }
    if (id.empty()) {
        id = facts.disk_devpath.substr(std::min(facts.disk_devpath.size(), std::string_view("/devices/").size()));
        std::replace(id.begin(), id.end(), '/', '-');
    }
    std::replace(id.begin(), id.end(), '/', '-');
    return facts.is_partition ? id + "-part" + std::to_string(facts.partition) : id;
}

std::string title_of(const BlockFacts& facts) {
    std::string title = facts.model.empty() ? facts.name : facts.model;
    if (facts.model.empty() || !facts.is_partition) {
        return title;
    }
    return title + ", part " + std::to_string(facts.partition);
}

std::optional<Message> why_not_scanned(const BlockFacts& facts) {
    if (!facts.has_medium || facts.size_bytes == 0) {
        return Message("daemon.no_medium");
    }
    if (facts.label == quiesce::state_store_label) {
        return Message("daemon.state_store");
    }
    if (!facts.is_partition && facts.has_partition_table && facts.filesystem.empty()) {
        return Message("daemon.partitioned");
    }
    return std::nullopt;
}

registry::DeviceRecord record_of(const BlockFacts& facts, std::string id, std::string disk_id) {
    registry::DeviceRecord record;
    record.identity.id = std::move(id);
    record.identity.node = facts.node;
    record.identity.uuid = facts.uuid;
    record.identity.label = facts.label;
    record.identity.partuuid = facts.partuuid;
    record.identity.partlabel = facts.partlabel;
    record.identity.disk = std::move(disk_id);
    record.filesystem = facts.filesystem;
    record.title = title_of(facts);
    record.model = facts.model;
    record.size_bytes = facts.size_bytes;
    record.removable = facts.removable;
    return record;
}

std::string decode_udev(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const bool escaped =
            text.size() >= 4 && text.starts_with("\\x") && hex_digit(text[2]) >= 0 && hex_digit(text[3]) >= 0;
        out += escaped ? static_cast<char>(hex_digit(text[2]) * 16 + hex_digit(text[3])) : text.front();
        text.remove_prefix(escaped ? 4 : 1);
    }
    return out;
}

}  // namespace stillboot::discover
