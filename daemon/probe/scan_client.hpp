// SPDX-License-Identifier: Apache-2.0
// Scanning one device or disk image from a program without an event loop, by running stillboot-probe.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

#include "config/base/result.hpp"
#include "config/model/device.hpp"
#include "config/model/scan_result.hpp"
#include "daemon/probe/question.hpp"

namespace stillboot::probe {

/// Answers a scan's question about other devices.
using Answerer = std::function<Answer(const Question&)>;

/// Scans the file system on device.node, a block device or an image file of one. Without an answerer there are
/// no other devices. Needs root. @error as Runner::scan
/// Blocking: at most about the deadline. Thread: any.
[[nodiscard]] Result<ScanResult> scan(const DeviceId& device, const Answerer& answerer = {},
                                      std::chrono::milliseconds deadline = std::chrono::milliseconds(60'000),
                                      std::stop_token stop = {});

}  // namespace stillboot::probe
