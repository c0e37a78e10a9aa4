// SPDX-License-Identifier: Apache-2.0
// The text of a boot rule.
#pragma once

#include <optional>
#include <string_view>

#include "config/model/boot_rule.hpp"

namespace stillboot {

/// Reads `KEY=GLOB` words with white space between them, a glob with white space in it in double quotes; the keys
/// are id, title, device, type, format and wait (seconds, 1 to 3600). The word "@default", which may stand alone,
/// asks for what a configuration calls its default. Nothing where the text is none of this.
[[nodiscard]] std::optional<BootRule> parse_boot_rule(std::string_view text);

}  // namespace stillboot
