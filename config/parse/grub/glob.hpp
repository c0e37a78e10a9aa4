// SPDX-License-Identifier: Apache-2.0
// File name patterns as GRUB has them: '*' and '?' within one component, a backslash before a literal one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/parse/file_source.hpp"

namespace stillboot::grub {

/// True where a name matches one component of a pattern. Linear in pattern times name.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view name);

/// The paths on a device that match an absolute pattern, sorted; at most `limit`.
[[nodiscard]] std::vector<std::string> matching_paths(FileSource& source, const DeviceRef& device,
                                                      std::string_view pattern, std::size_t limit);

}  // namespace stillboot::grub
