// SPDX-License-Identifier: Apache-2.0
// Text from outside as valid UTF-8, which is all that the socket carries.
#pragma once

#include <string>
#include <string_view>

namespace stillboot {

/// The text with every byte that is no part of a valid sequence replaced by U+FFFD. Overlong forms, surrogates and
/// what lies beyond U+10FFFF are not valid (RFC 3629), nor here is NUL, which no field of ours may hold.
[[nodiscard]] std::string valid_utf8(std::string_view text);

}  // namespace stillboot
