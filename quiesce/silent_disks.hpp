// SPDX-License-Identifier: Apache-2.0
// Disks that have requests and do not answer them: whatever removes one waits for ever.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "config/base/root.hpp"

namespace stillboot::quiesce {

/// The disks ("/dev/vda") that have requests under way and have answered none since `patience` ago. Looks again in
/// small steps, with `rest` between them, and is done at once where nothing is under way.
/// Blocking: up to `patience`.
/// Source: Linux, Documentation/block/stat.rst: requests in flight, and those that are done.
[[nodiscard]] std::vector<std::string> silent_disks(const Root& root, std::chrono::milliseconds patience,
                                                    const std::function<void(std::chrono::milliseconds)>& rest);

}  // namespace stillboot::quiesce
