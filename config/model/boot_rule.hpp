// SPDX-License-Identifier: Apache-2.0
// A rule of the settings: which options may boot by themselves.
#pragma once

#include <chrono>
#include <string>

namespace stillboot {

/// Which options a place in the order of `boot` names. Every condition that is not empty must fit; texts are globs
/// (fnmatch(3), no flags).
struct BootRule {
    std::string id;      ///< BootOption::id
    std::string title;   ///< also with its submenus before it: "Advanced options>Debian, recovery"
    std::string device;  ///< DeviceId::id
    std::string type;    ///< "internal" or "removable"
    std::string format;  ///< Source::format
    /// How long, from when discovery has settled, a later rule has to wait for what this one names.
    std::chrono::seconds wait{0};
    std::string text;  ///< as it was written

    /// Only what its configuration calls the default: beside it may stand what nobody wants started by itself.
    [[nodiscard]] bool wants_default() const { return id.empty() && title.empty(); }
    bool operator==(const BootRule&) const = default;
};

}  // namespace stillboot
