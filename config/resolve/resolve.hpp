// SPDX-License-Identifier: Apache-2.0
// References of boot options resolved against the devices that are there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/base/result.hpp"
#include "config/model/boot_option.hpp"
#include "config/model/device.hpp"

namespace stillboot {

/// The device that a reference means: the own device where the reference fits it, else the one that fits on the
/// own disk (a copied disk carries the same UUIDs), else the one that fits anywhere.
/// @param own      the device that holds the configuration
/// @param devices  all that are there; may hold `own`
/// @return a pointer to `own` or into `devices`
/// @error config.device_missing, config.device_ambiguous (several fit equally well: never a guess)
[[nodiscard]] Result<const DeviceId*> resolve_device(const DeviceRef& reference, const DeviceId& own,
                                                     const std::vector<DeviceId>& devices);

/// A resource whose device is known. A URL has neither device nor path.
struct ResolvedFile {
    std::string device_id;
    std::string node;
    std::string path;
    std::string url;

    bool operator==(const ResolvedFile&) const = default;
};

struct ResolvedOption {
    ResolvedFile kernel;
    std::vector<ResolvedFile> initrds;
    std::optional<ResolvedFile> devicetree;

    bool operator==(const ResolvedOption&) const = default;
};

/// All references of an option. An error is what the option waits for, in the words for its `reason`.
/// @error as resolve_device
[[nodiscard]] Result<ResolvedOption> resolve_option(const BootOption& option, const DeviceId& own,
                                                    const std::vector<DeviceId>& devices);

/// An option that is listed, and its files where it is ready.
struct ListedOption {
    const BootOption* option = nullptr;
    std::optional<ResolvedOption> files;
};

/// Which of the options say again what another says: a configuration that leads to one on another device (the
/// stub on an ESP) yields that one's entries once more. An option is repeated where its kernel is on another
/// device, and an option of that device has the same title, files and command line.
/// @return a flag for each option, in order
[[nodiscard]] std::vector<bool> find_repeated_options(const std::vector<ListedOption>& options);

}  // namespace stillboot
