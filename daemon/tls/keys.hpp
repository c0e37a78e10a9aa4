// SPDX-License-Identifier: Apache-2.0
// Making the keys and certificates of a machine and of its clients.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "config/base/result.hpp"
#include "daemon/protocol/role.hpp"

namespace stillboot::tls {

/// A certificate and its key (EC P-256), both as PEM.
struct Issued {
    std::string certificate;
    std::string key;
};

/// From now. What is made begins at the time of the build: a machine whose clock was lost counts from there, and
/// would take a certificate of today for one of the future.
using Lifetime = std::chrono::hours;

inline constexpr std::size_t max_name_bytes = 64;  ///< of a common name (RFC 5280, ub-common-name)

/// An authority that signs for one machine alone. @error daemon.keys_failed, daemon.no_tls
[[nodiscard]] Result<Issued> make_authority(const std::string& name, Lifetime lifetime);
/// The machine's own, for the names and addresses that clients call it by: at least one, each of letters, digits,
/// dots, colons, hyphens and underscores. @error daemon.keys_failed, daemon.keys_bad_name, daemon.no_tls
[[nodiscard]] Result<Issued> make_server(const Issued& authority, const std::vector<std::string>& hosts,
                                         Lifetime lifetime);
/// A client's, with its role. @error daemon.keys_failed, daemon.keys_bad_name, daemon.no_tls
[[nodiscard]] Result<Issued> make_client(const Issued& authority, const std::string& name, protocol::Role role,
                                         Lifetime lifetime);

/// The role that a client's certificate says, by the URIs among its names: nothing unless just one of them begins
/// with role_prefix, and names a role that this build knows.
[[nodiscard]] std::optional<protocol::Role> role_of_uris(const std::vector<std::string>& uris);

}  // namespace stillboot::tls
