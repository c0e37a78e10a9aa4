// SPDX-License-Identifier: Apache-2.0
// Descriptors that another process sent: trusted only as far as their seals go.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/base/result.hpp"

namespace stillboot::probe {

/// Checks that a descriptor is a memfd of ordinary pages with every seal set, so that reading it can neither
/// wait, nor fault, nor meet other bytes later; rewinds it. The value is its size in bytes.
/// @error probe.not_sealed, base.file_too_large
[[nodiscard]] Result<std::uint64_t> check_sealed(int fd, std::uint64_t max_bytes, std::string_view name);

/// The bytes of such a descriptor. @error as check_sealed, base.read_failed
[[nodiscard]] Result<std::string> read_sealed(int fd, std::uint64_t max_bytes, std::string_view name);

}  // namespace stillboot::probe
