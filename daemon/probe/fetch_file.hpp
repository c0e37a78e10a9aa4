// SPDX-License-Identifier: Apache-2.0
// Copying one file into a sealed memfd, complete or not at all.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "config/base/result.hpp"
#include "config/base/unique_fd.hpp"

namespace stillboot::probe {

struct CopyLimits {
    std::uint64_t max_bytes = 0;        ///< what the caller accepts
    std::uint64_t available_bytes = 0;  ///< what this machine's memory has room for
};

/// Copies a regular file that is open for reading. A file that ends before its size says, or that grows while it
/// is read, is an error, never a short memfd.
/// @error base.not_a_file, base.file_too_large, probe.not_enough_memory, base.read_failed, probe.fetched_short,
/// base.memfd_failed
[[nodiscard]] Result<UniqueFd> copy_to_memfd(int file, const std::string& name, const CopyLimits& limits,
                                             const std::function<void(std::uint64_t, std::uint64_t)>& progress);

/// MemAvailable of /proc/meminfo in bytes; 0 where it cannot be read.
[[nodiscard]] std::uint64_t available_memory_bytes();

}  // namespace stillboot::probe
