// SPDX-License-Identifier: Apache-2.0
// The words of our own on a kernel command line.
#pragma once

#include <string>
#include <string_view>

namespace stillboot::handover {

/// By which the booted system finds the entry that it came from. Not a "stillboot." word, which a Stillboot that
/// is booted so would take for a setting.
constexpr std::string_view bless_word_name = "stillboot-bless.entry=";
/// What became of the devices.
constexpr std::string_view report_word_name = "stillboot.report=";

/// The value of such a word, of the last one where there are several; empty where there is none.
/// Lifetime: that of the command line.
[[nodiscard]] std::string_view value_of(std::string_view command_line, std::string_view name);

/// The command line without those that an earlier boot has left there: tools that make entries copy the command
/// line of the system that runs.
[[nodiscard]] std::string without_our_words(std::string_view command_line);

}  // namespace stillboot::handover
