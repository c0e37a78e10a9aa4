// SPDX-License-Identifier: Apache-2.0
// Small readers of sysfs that the inventory is made of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/root.hpp"

namespace stillboot::quiesce {

/// An attribute's text, or empty where it cannot be read.
[[nodiscard]] std::string attribute_or_empty(const Root& root, std::string_view path);

/// Where a symlink of sysfs leads, as a path below the root, by its text alone; empty where there is no link.
[[nodiscard]] std::string follow_link(const Root& root, std::string_view path);

/// The number at the start of a text, with or without "0x" in base 16; 0 where there is none.
[[nodiscard]] std::uint64_t parse_number(std::string_view text, int base);

[[nodiscard]] std::string_view last_component(std::string_view path);

/// Parts of a text between runs of the separators.
[[nodiscard]] std::vector<std::string> split(std::string_view text, std::string_view separators);

}  // namespace stillboot::quiesce
