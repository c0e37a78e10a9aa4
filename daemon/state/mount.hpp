// SPDX-License-Identifier: Apache-2.0
// Mounting a file system that is written to.
#pragma once

#include <string>
#include <string_view>

#include "config/base/unique_fd.hpp"

namespace stillboot::state {

/// Mounts it for us alone and in no mount table; it goes with the descriptor, which writes everything out. Where
/// it is empty errno says why. Blocking.
/// @param source "/dev/sda1"  @param driver the kernel's name of it: "vfat", "ext4", "xfs"
[[nodiscard]] UniqueFd mount_writable(const std::string& source, std::string_view driver);

}  // namespace stillboot::state
