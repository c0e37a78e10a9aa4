// SPDX-License-Identifier: Apache-2.0
// The varlink server: connections, their bounds, and nothing about what the calls mean.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/base/result.hpp"
#include "daemon/loop/spawn.hpp"
#include "daemon/protocol/varlink.hpp"
#include "daemon/server/peer.hpp"
#include "daemon/tls/tls.hpp"

namespace stillboot::server {

/// What one client may cost.
struct Limits {
    std::size_t max_call_bytes = std::size_t{256} * 1024;
    /// Replies that wait for a client that does not read. One reply may be longer than this: only what comes
    /// while others wait counts.
    std::size_t max_queued_bytes = std::size_t{1024} * 1024;
    std::chrono::milliseconds frame_deadline{10'000};     ///< from a message's first byte to its last
    std::chrono::milliseconds write_deadline{30'000};     ///< without a byte being taken while replies wait
    std::chrono::milliseconds handshake_deadline{5'000};  ///< of TLS
    std::size_t max_handshakes = 16;                      ///< at the same time
    std::size_t max_connections = 96;
    /// Of all but this machine's root together, so that they cannot lock it out.
    std::size_t max_user_connections = 32;
};

/// The role of a user other than root who is in these groups.
using RoleOfGroups = std::function<protocol::Role(const std::vector<gid_t>& groups)>;

/// Where the replies to one call go. A handler may keep it as long as it likes: once the client has gone, replies
/// go nowhere and `open` says so.
class Replier {
public:
    virtual ~Replier() = default;
    /// Queues a reply. One without `continues` ends the call. False where the client has gone or was cut off.
    virtual bool reply(const protocol::Reply& reply) = 0;
    /// The same with an encoded frame, shared between the clients that get it.
    virtual bool reply_frame(std::shared_ptr<const std::string> frame, bool continues) = 0;
    [[nodiscard]] virtual bool open() const = 0;
};

/// What happens on a call, and to those who do not get as far as one. Called once for each; must see to it that a
/// last reply is sent, at once or later.
class Handler {
public:
    virtual ~Handler() = default;
    virtual void on_call(const protocol::Call& call, const Peer& peer, std::shared_ptr<Replier> replier) = 0;
    /// A client over TLS was turned away; the address is without its port. Called as often as that happens.
    virtual void on_refused(const std::string& address, const Error& reason);
};

/// Listens on a Unix stream socket, and for TLS where it is told to. A client that sends half a message, too much,
/// or nothing for ever, or stops reading, costs its own bounds and then its own connection. Thread: the loop's
/// alone. Lifetime: the handler outlives the server; the server outlives the loop's last run.
class Server {
public:
    /// Without `role_of_groups` all users but root may only look.
    Server(Spawner spawner, Handler& handler, Limits limits, RoleOfGroups role_of_groups = {});
    ~Server();

    /// Makes the socket (mode 0666: who may do what is decided by peer credentials and groups), replacing a socket
    /// that is left over from a process that has ended, and starts to accept.
    /// @error daemon.listen_failed, daemon.already_running where another process answers on it
    Result<void> listen(const std::string& path);
    /// Accepts clients with a certificate on an address and port, such as "[::]:5253", which takes IPv4, too.
    /// The value is the address as it is in the end: port 0 asks for one that is free.
    /// @error daemon.tls_not_listening
    Result<std::string> listen_tls(const std::string& address, const tls::ContextPtr& context);
    /// Ends every connection and removes the socket.
    void stop();
    [[nodiscard]] std::size_t connections() const;

    class Impl;

private:
    std::shared_ptr<Impl> impl_;
};

}  // namespace stillboot::server
