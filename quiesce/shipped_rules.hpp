// SPDX-License-Identifier: Apache-2.0
// The rules that every program carries, so that no machine is without them.
#pragma once

#include <string_view>
#include <vector>

#include "config/model/rule.hpp"

namespace stillboot::quiesce {

/// Where the shipped rules stand in the source tree.
constexpr std::string_view shipped_rules_file = "quiesce/rules.toml";

/// The shipped rules in order; the last matches everything. Lifetime: static.
[[nodiscard]] const std::vector<Rule>& shipped_rules();

/// Whether a driver of that bus is known to have no shutdown method, by the names of a running kernel. Source:
/// quiesce/drivers-without-shutdown.txt, which says of which kernel it was read.
[[nodiscard]] bool lacks_shutdown(std::string_view bus, std::string_view driver);

}  // namespace stillboot::quiesce
