// SPDX-License-Identifier: Apache-2.0
// Bringing one resource as a sealed memfd, by running stillboot-fetch. Without Asio, for the hand-over's thread
// and the command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "config/base/result.hpp"
#include "config/base/unique_fd.hpp"

namespace stillboot::probe {

struct FetchOrder {
    std::string node;  ///< the block device (or image file) with the file system; empty for a local file
    std::string path;  ///< on that file system, or a local path
    std::string url;   ///< refused: nothing in this build speaks to a network
    std::uint64_t max_bytes = 0;
    std::chrono::milliseconds deadline{600'000};    ///< for the whole
    std::chrono::milliseconds stall_limit{30'000};  ///< without any progress
};

struct Fetched {
    UniqueFd image;  ///< memfd sealed against writing, growing, shrinking and further seals; offset 0
    std::uint64_t size_bytes = 0;
};

/// done and total in bytes; total is the size of the file.
using FetchProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// Fetches one resource, complete or not at all.
/// @error what the helper found (config.file_missing, base.file_too_large, base.read_failed,
/// probe.fetched_short, probe.mount_failed, probe.not_readable, …), probe.url_not_in_build,
/// probe.helper_missing, probe.helper_crashed, probe.helper_timed_out, probe.helper_stuck, probe.cancelled
/// Blocking: until it is done, the deadline passes or stop is requested. Thread: any.
[[nodiscard]] Result<Fetched> fetch(const FetchOrder& order, const FetchProgress& progress = {},
                                    std::stop_token stop = {});

}  // namespace stillboot::probe
