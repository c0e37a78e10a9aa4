// SPDX-License-Identifier: Apache-2.0
// TLS 1.3 with certificates on both sides; what else there is in TLS is switched off.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <ctime>
#include <memory>
#include <string>

#include "config/base/result.hpp"
#include "daemon/loop/stream.hpp"
#include "daemon/protocol/role.hpp"
#include "daemon/tls/files.hpp"

namespace stillboot::tls {

enum class Side { server, client };

/// Keys and certificates, loaded. Shared by its connections.
class Context;
using ContextPtr = std::shared_ptr<Context>;

/// @error daemon.no_tls where the build has none, daemon.tls_files
[[nodiscard]] Result<ContextPtr> load(Side side, const Files& files);

/// A client whose certificate was accepted.
struct Accepted {
    Accepted(std::unique_ptr<Stream> secured, std::string common_name, protocol::Role granted)
        : stream(std::move(secured)), name(std::move(common_name)), role(granted) {}

    std::unique_ptr<Stream> stream;
    std::string name;
    protocol::Role role;
};

/// The server's handshake. @error daemon.tls_refused, daemon.tls_timed_out
[[nodiscard]] boost::asio::awaitable<Result<Accepted>> accept(ContextPtr context,
                                                              boost::asio::ip::tcp::socket socket,
                                                              std::chrono::milliseconds deadline);

/// The client's: the certificate on the other side must be for `host`, a name or an address.
/// @error daemon.tls_refused, daemon.tls_timed_out
[[nodiscard]] boost::asio::awaitable<Result<std::unique_ptr<Stream>>> connect(ContextPtr context,
                                                                              boost::asio::ip::tcp::socket socket,
                                                                              std::string host,
                                                                              std::chrono::milliseconds deadline);

/// What an error of a TLS stream means to a person. The other side's refusal comes with the first read.
[[nodiscard]] std::string words_of(const boost::system::error_code& failure);

/// The time that certificates are checked against: a clock that is behind the build has lost its battery.
[[nodiscard]] std::time_t not_before_the_build(std::time_t clock);

/// The URI in a client's certificate that says its role is "stillboot:role:" and the role's word.
inline constexpr std::string_view role_prefix = "stillboot:role:";

}  // namespace stillboot::tls
