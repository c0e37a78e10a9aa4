// SPDX-License-Identifier: Apache-2.0
// What names a device, and how an option points to one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stillboot {

/// A device as discovered. `id` is its stable hardware path ("pci-0000:00:04.0-nvme-1-part2"), the same across
/// reboots, for a copied disk carries the same UUID; `node` ("/dev/nvme0n1p2") is not.
struct DeviceId {
    std::string id;
    std::string node;
    std::string uuid;       ///< of the file system, as blkid writes it
    std::string label;      ///< of the file system
    std::string partuuid;   ///< of the partition
    std::string partlabel;  ///< of the partition
    std::string disk;       ///< `id` of the whole disk that holds it; its own where it is one, empty where unknown

    bool operator==(const DeviceId&) const = default;
};

/// A reference to a device, as a configuration writes it, resolved only against a set of devices.
struct DeviceRef {
    enum class Kind {
        self,   ///< the device that holds the configuration
        uuid,   ///< file system UUID
        label,  ///< file system label
        partuuid,
        partlabel,
        id,  ///< DeviceId::id
    };
    Kind kind = Kind::self;
    std::string value;

    [[nodiscard]] bool is_self() const { return kind == Kind::self; }
    bool operator==(const DeviceRef&) const = default;
};

/// The word of a kind on the wire and in messages: "uuid", "label", "device" (for id), … Lifetime: static.
[[nodiscard]] std::string_view to_word(DeviceRef::Kind kind);

/// True where the reference names this device. `self` names none here: the caller knows which device that is.
/// UUIDs compare without regard to case, as vfat's are written both ways.
[[nodiscard]] bool names_device(const DeviceRef& reference, const DeviceId& device);

}  // namespace stillboot
