// SPDX-License-Identifier: Apache-2.0
// The order of versions, by the UAPI group's Version Format Specification.
#pragma once

#include <compare>
#include <string_view>

namespace stillboot {

/// Which of two versions is newer: `less` where a is older. Characters outside letters, digits and -.~^ count for
/// nothing, so two different texts can be equal. Source: uapi-group.org, "Version Format Specification".
[[nodiscard]] std::weak_ordering compare_versions(std::string_view a, std::string_view b);

}  // namespace stillboot
