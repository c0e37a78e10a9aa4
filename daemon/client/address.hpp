// SPDX-License-Identifier: Apache-2.0
// Where a daemon is, as `--host` names it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/tls/files.hpp"

namespace stillboot::client {

inline constexpr std::uint16_t default_tls_port = 5253;

struct Address {
    enum class Kind { unix_socket, ssh, tls };

    Address() = default;
    Address(std::string socket_path) : path(std::move(socket_path)) {}
    Address(const char* socket_path) : path(socket_path) {}

    /// The path of the socket, or the host's name, for messages.
    [[nodiscard]] const std::string& place() const { return kind == Kind::unix_socket ? path : host; }

    Kind kind = Kind::unix_socket;
    std::string path;  ///< of a Unix socket
    std::string user;  ///< empty: ssh decides
    std::string host;
    std::uint16_t port = 0;  ///< 0: ssh decides; TLS has default_tls_port
    bool may_ask = true;     ///< whether ssh may ask for a password on the terminal
    tls::Files files;        ///< for TLS
};

/// unix:PATH, ssh://[USER@]HOST[:PORT] or tls://HOST[:PORT]; an IPv6 address as HOST stands in brackets. Nothing
/// for any other text, one among them that a program could take for an option.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

}  // namespace stillboot::client
