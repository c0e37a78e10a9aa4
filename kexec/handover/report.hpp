// SPDX-License-Identifier: Apache-2.0
// What became of the devices in one word for the next kernel's command line.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "quiesce/verify.hpp"

namespace stillboot::handover {

/// How many devices are in which state: handover.checked.
[[nodiscard]] Message checked(const quiesce::Verification& verification);

/// "stillboot.report=still:20,kept:3,contained:0,moving:0,ms:5600,left:ixgbe" (left: drivers that are left alone
/// for what they did before, one each).
[[nodiscard]] std::string report_word(const quiesce::Verification& verification, const quiesce::Plan& devices,
                                      std::chrono::milliseconds took);

/// What such a word on a kernel command line says, without its name; empty where there is none.
[[nodiscard]] std::string_view report_in(std::string_view command_line);

}  // namespace stillboot::handover
