// SPDX-License-Identifier: Apache-2.0
// A boot option: everything that is needed to boot one entry, and where it came from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/model/device.hpp"

namespace stillboot {

/// A kernel, initrd or devicetree: a path on a device, or a URL (then path is empty).
struct Resource {
    std::string path;
    DeviceRef device;  ///< self: the device that holds the configuration
    std::string url;
    std::string sha256;  ///< expected digest in lower-case hex, or empty; no format of today fills it

    bool operator==(const Resource&) const = default;
};

/// Where an option was written.
struct Source {
    std::string format;  ///< "grub", "bls", …
    std::string file;    ///< path on the device that holds it
    std::uint32_t line = 0;

    bool operator==(const Source&) const = default;
};

/// Boot counting of the Boot Loader Specification ("+left-done" in the file name).
struct BootTries {
    std::uint32_t left = 0;
    std::uint32_t done = 0;

    bool operator==(const BootTries&) const = default;
};

struct BootOption {
    /// device id + "/" + format + "/" + entry name. A parser fills only the entry name (unique in its parse);
    /// the scan puts the rest before it.
    std::string id;
    std::string title;
    std::string device_id;  ///< DeviceId::id of the device that holds the configuration; filled by the scan
    Resource kernel;
    std::vector<Resource> initrds;
    std::optional<Resource> devicetree;
    std::string args;  ///< the kernel command line
    std::string version;
    std::string sort_key;
    std::optional<BootTries> tries;
    bool is_default = false;
    Source source;
    std::vector<std::string> submenus;  ///< titles of the submenus around it, outermost first

    bool operator==(const BootOption&) const = default;
};

}  // namespace stillboot
