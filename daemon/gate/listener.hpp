// SPDX-License-Identifier: Apache-2.0
// Who comes in over TLS, and the way of their bytes to the daemon.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "config/base/result.hpp"
#include "config/base/unique_fd.hpp"
#include "daemon/loop/spawn.hpp"
#include "daemon/tls/tls.hpp"

namespace stillboot::gate {

/// What strangers, and then clients, may cost.
struct Limits {
    std::chrono::milliseconds handshake_deadline{5'000};
    std::size_t max_handshakes = 16;     ///< at the same time
    std::size_t max_own_handshakes = 4;  ///< of one address
    std::size_t max_clients = 128;       ///< whose bytes are carried; the server has the smaller shares
    std::chrono::milliseconds write_deadline{30'000};  ///< without a byte being taken by the other side
};

/// A client that was let in.
struct Client {
    std::string address;  ///< with its port
    std::string name;     ///< of its certificate
    protocol::Role role = protocol::Role::look;
    UniqueFd socket;  ///< a Unix stream socket that carries its bytes
};

struct Events {
    std::function<void(Client)> on_client;
    /// The address is without its port. Called as often as that happens.
    std::function<void(const std::string& address, const Error& reason)> on_refused;
};

/// Accepts clients with a certificate, and carries what they send and get. Thread: the loop's alone.
/// Lifetime: what the events refer to outlives the loop's last run.
class Listener {
public:
    Listener(Spawner spawner, tls::ContextPtr context, Limits limits, Events events);
    ~Listener();

    /// The value is the address as it is in the end: port 0 asks for one that is free.
    /// @error daemon.tls_not_listening
    Result<std::string> listen(const std::string& address);
    /// Ends every connection, too.
    void stop();

    class Impl;

private:
    std::shared_ptr<Impl> impl_;
};

}  // namespace stillboot::gate
