// SPDX-License-Identifier: Apache-2.0
// "ADDRESS:PORT", with an IPv6 address in brackets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stillboot {

struct Endpoint {
    std::string host;  ///< without its brackets
    bool bracketed = false;
    std::uint16_t port = 0;
};

/// Splits at the last colon; what the host is, nobody has looked at. Nothing where there is no port in decimal.
[[nodiscard]] std::optional<Endpoint> split_endpoint(std::string_view text);

/// Whether the host is an address (an IPv6 one in brackets) and the port can be used: no name, for what a name
/// means is somebody else's say.
[[nodiscard]] bool is_numeric(const Endpoint& endpoint);

}  // namespace stillboot
