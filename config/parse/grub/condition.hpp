// SPDX-License-Identifier: Apache-2.0
// The expressions of `test` and `[`.
#pragma once

#include <functional>
#include <span>
#include <string_view>

namespace stillboot::grub {

/// What an expression asks about files; `operation` is one of d e f s.
using FileTest = std::function<bool(char operation, std::string_view name)>;
/// "a -nt b" and its like, as it stands in the expression: file times are not known here.
using TimeTest = std::function<bool(std::string_view operation)>;

/// Evaluates an expression. `-a` binds closer than `-o`; expressions side by side must all hold, and what is no
/// operator where one is asked for is a text, true unless empty: all as grub-emu 2.06 does. Nothing at all holds.
[[nodiscard]] bool condition_holds(std::span<const std::string_view> words, const FileTest& file_test,
                                   const TimeTest& time_test);

/// A number as `test` reads it: sign, then decimal, octal (0…) or hexadecimal (0x…) digits up to the first
/// byte that is none; 0 where there is none.
[[nodiscard]] long long number_of(std::string_view text);

}  // namespace stillboot::grub
