// SPDX-License-Identifier: Apache-2.0
// Reading what a probe hands back, none of which is trusted.
#pragma once

#include <string_view>

#include "config/base/result.hpp"
#include "config/model/device.hpp"
#include "config/model/scan_result.hpp"

namespace stillboot::probe {

inline constexpr std::uint64_t max_result_bytes = std::uint64_t{32} * 1024 * 1024;
inline constexpr std::size_t max_options = 25'000;
inline constexpr std::size_t max_diagnostics = 25'000;

/// The result that a descriptor holds: sealed, bounded, and with options that claim only this device, each under
/// an id of its own. @error probe.not_sealed, base.file_too_large, probe.helper_broke_protocol
[[nodiscard]] Result<ScanResult> read_scan_result(int fd, const DeviceId& device);

/// The same of its text. @error probe.helper_broke_protocol
[[nodiscard]] Result<ScanResult> scan_result_of(std::string_view text, const DeviceId& device);

}  // namespace stillboot::probe
