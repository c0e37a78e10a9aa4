// SPDX-License-Identifier: Apache-2.0
// What was done to the machine, in a form that survives the daemon: everything an undo needs to know.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/base/root.hpp"
#include "quiesce/inventory.hpp"
#include "quiesce/plan.hpp"
#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {

/// A device that was bound when we began, by what stays the same when names change.
struct RecordedDevice {
    std::string path;
    std::string name;
    std::string bus;
    std::string driver;
    std::string identity;  ///< stable_identity of its path
    std::string modalias;

    bool operator==(const RecordedDevice&) const = default;
};

struct RecordedDisk {
    std::string name;      ///< as it was called
    std::string identity;  ///< of its sysfs path
    std::string wwid;
    std::uint64_t sectors = 0;

    bool operator==(const RecordedDisk&) const = default;
};

struct RecordedInterface {
    std::string name;
    std::string identity;
    std::string address;
    bool up = false;
    bool carrier = false;

    bool operator==(const RecordedInterface&) const = default;
};

/// Written before the first act and again before each further one. It may claim more than was done (the act
/// that it announces), never less.
struct UndoRecord {
    static constexpr int format_version = 1;

    std::string boot_id;  ///< /proc/sys/kernel/random/boot_id of the kernel in which this was done
    std::optional<std::string> printk_devkmsg;  ///< as it was
    bool udev_stopped = false;
    std::map<std::string, std::string, std::less<>>
        autoprobe;             ///< bus to what was there, for the buses switched off
    std::uint64_t newest = 0;  ///< creation order of the last driver or device that was there
    std::map<std::string, std::uint32_t, std::less<>>
        virtual_functions;                  ///< path of the physical function to sriov_numvfs
    std::vector<RecordedDevice> unbound;    ///< in the order in which they were begun; some may still be bound
    std::vector<std::string> in_flight;     ///< paths of the steps that were under way when this was written
    std::vector<std::string> hung;          ///< paths whose unbind did not return
    std::vector<RecordedDevice> followers;  ///< bound, without a step: they come back by themselves
    std::vector<RecordedDisk> disks;        ///< all that were there
    std::vector<RecordedInterface> interfaces;

    bool operator==(const UndoRecord&) const = default;
};

/// A sysfs path with the numbers that a rebind changes left out: virtio3, host2, target2:0:0, usb1, 1-1.2, mmc0.
/// "/sys/devices/pci0000:00/0000:00:05.0/virtio3" -> "/sys/devices/pci0000:00/0000:00:05.0/virtio*".
[[nodiscard]] std::string stable_identity(std::string_view path);

[[nodiscard]] RecordedDevice record_of(const Device& device);

/// A record of the machine as the inventory shows it, with nothing done yet.
[[nodiscard]] UndoRecord begin_record(const Root& root, const EntryReader& entries, const Inventory& inventory,
                                      const Plan& plan);

/// The boot id of the running kernel, or empty.
[[nodiscard]] std::string current_boot_id(const Root& root);

}  // namespace stillboot::quiesce
