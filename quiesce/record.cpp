// SPDX-License-Identifier: Apache-2.0
// Identities that survive a rebind, and the record of a machine before it is touched.
#include "quiesce/record.hpp"

#include <algorithm>
#include <array>

#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {
namespace {

constexpr std::string_view digits = "0123456789";

std::size_t count_digits(std::string_view text, std::size_t at) {
    const std::size_t end = text.find_first_not_of(digits, at);
    return (end == text.npos ? text.size() : end) - at;
}

// Names whose number, right after the prefix, comes from a counter of the running kernel.
std::string normalise_prefixed(std::string_view component) {
    constexpr std::array<std::string_view, 17> prefixes = {
        "nvme-subsys", "virtio", "host",    "usb",    "ata",         "mmc",       "nvme", "target", "serio",
        "port-",       "phy-",   "session", "rport-", "end_device-", "expander-", "i2c-", "link"};
    for (const auto prefix : prefixes) {
        const std::size_t length = component.starts_with(prefix) ? count_digits(component, prefix.size()) : 0;
        if (length == 0) {
            continue;
        }
        const std::string_view rest = component.substr(prefix.size() + length);
        if (rest.empty() || rest.front() == ':' || rest.front() == 'n' || rest.front() == 'c') {
            return std::string(prefix) + "*" + std::string(rest);
        }
    }
    return {};
}

// "2:0:0:0" of SCSI and "1-1.2:1.0" of USB: the first number is the host's or the bus's.
std::string normalise_numbered(std::string_view component) {
    const std::size_t length = count_digits(component, 0);
    if (length == 0 || length == component.size()) {
        return {};
    }
    const std::string_view rest = component.substr(length);
    const bool is_scsi =
        rest.find_first_not_of("0123456789:") == rest.npos && std::count(rest.begin(), rest.end(), ':') == 3;
    const bool is_usb = rest.front() == '-';
    return is_scsi || is_usb ? "*" + std::string(rest) : std::string();
}

// "iTCO_wdt.1.auto": numbered in the order in which they were made.
std::string normalise_automatic(std::string_view component) {
    constexpr std::string_view suffix = ".auto";
    if (!component.ends_with(suffix)) {
        return {};
    }
    const std::string_view stem = component.substr(0, component.size() - suffix.size());
    const std::size_t dot = stem.rfind('.');
    return dot == stem.npos ? std::string() : std::string(stem.substr(0, dot)) + ".*.auto";
}

std::string normalise(std::string_view parent, std::string_view component) {
    if (parent == "block" || parent == "net") {
        return "*";
    }
    for (auto text :
         {normalise_prefixed(component), normalise_numbered(component), normalise_automatic(component)}) {
        if (!text.empty()) {
            return text;
        }
    }
    return std::string(component);
}

bool is_whole_disk(const Root& root, const BlockDevice& block) {
    return block.sectors > 0 && !block.path.starts_with("/sys/devices/virtual/block/") &&
           !root.exists(block.path + "/partition");
}

// Their links on the bus are made with the devices.
std::uint64_t newest_entry(const Root& root, const EntryReader& entries, const Inventory& inventory) {
    std::uint64_t newest = 0;
    for (const auto& [bus, autoprobe] : inventory.autoprobe) {
        for (const char* directory : {"/devices", "/drivers"}) {
            for (const auto& entry : entries(root, "/sys/bus/" + bus + directory)) {
                newest = std::max(newest, entry.order);
            }
        }
    }
    return newest;
}

}  // namespace

std::string stable_identity(std::string_view path) {
    std::string identity;
    std::string parent;
    for (const auto& component : split(path, "/")) {
        identity += "/" + normalise(parent, component);
        parent = component;
    }
    return identity;
}

RecordedDevice record_of(const Device& device) {
    return {device.path, device.name, device.bus, device.driver, stable_identity(device.path), device.modalias};
}

std::string current_boot_id(const Root& root) {
    return attribute_or_empty(root, "/proc/sys/kernel/random/boot_id");
}

UndoRecord begin_record(const Root& root, const EntryReader& entries, const Inventory& inventory,
                        const Plan& plan) {
    UndoRecord record;
    record.boot_id = current_boot_id(root);
    record.newest = newest_entry(root, entries, inventory);
    for (const auto& kept : plan.kept) {
        const bool goes_along =
            kept.follows && std::any_of(plan.steps.begin(), plan.steps.end(),
                                        [&](const auto& step) { return is_below(kept.path, step.path); });
        const auto device = inventory.devices.find(kept.path);  // it may have gone since the plan was made
        if (goes_along && device != inventory.devices.end()) {
            record.followers.push_back(record_of(device->second));
        }
    }
    for (const auto& [name, block] : inventory.blocks) {
        if (is_whole_disk(root, block)) {
            record.disks.push_back({name, stable_identity(block.path), block.wwid, block.sectors});
        }
    }
    for (const auto& interface : inventory.interfaces) {
        record.interfaces.push_back(
            {interface.name, stable_identity(interface.path), interface.address, interface.up, interface.carrier});
    }
    return record;
}

}  // namespace stillboot::quiesce
