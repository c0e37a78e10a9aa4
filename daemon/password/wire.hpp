// SPDX-License-Identifier: Apache-2.0
// What stillboot-password is told and what it says: one packet each (daemon/probe/wire.hpp).
#pragma once

#include <string>
#include <string_view>

namespace stillboot::password {

inline constexpr std::string_view password_program = "stillboot-password";
inline constexpr std::size_t max_password_bytes = 256;
/// The answer to a hash and a password, and to a hash without one: whether a password can match it. A helper that
/// cannot tell ends without one.
inline constexpr std::string_view right = "right";
inline constexpr std::string_view wrong = "wrong";

/// The only packet to the helper. Without a hash one is made of the password, and is the answer.
[[nodiscard]] inline std::string order_text(std::string_view hash, std::string_view password) {
    std::string text(hash);
    text += '\0';
    return text.append(password);
}

}  // namespace stillboot::password
