// SPDX-License-Identifier: Apache-2.0
// The varlink server: connections, their bounds, and nothing about what the calls mean.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/base/result.hpp"
#include "config/base/unique_fd.hpp"
#include "daemon/loop/spawn.hpp"
#include "daemon/protocol/types.hpp"
#include "daemon/protocol/varlink.hpp"
#include "daemon/server/peer.hpp"

namespace stillboot::server {

/// What one client may cost.
struct Limits {
    std::size_t max_call_bytes = std::size_t{256} * 1024;
    /// Replies that wait for a client that does not read. One reply may be longer than this: only what comes
    /// while others wait counts.
    std::size_t max_queued_bytes = std::size_t{1024} * 1024;
    /// Replies made for one client alone that wait for theirs, of all clients together: what many who do not read
    /// could cost. Of this root may have as much again, so that others cannot take it all.
    std::size_t max_unread_bytes = std::size_t{32} * 1024 * 1024;
    std::chrono::milliseconds frame_deadline{10'000};  ///< from a message's first byte to its last
    std::chrono::milliseconds write_deadline{30'000};  ///< without a byte being taken while replies wait
    /// A fleet's five hundred watchers and room beside them, in what 1,024 descriptors allow.
    std::size_t max_connections = 640;
    std::size_t max_user_connections = 544;  ///< of all users but root together, so that they cannot lock it out
    /// Of one of them (Peer::key): a fleet's watchers may be one user, and must leave room for the others.
    std::size_t max_own_connections = 512;
    /// Over TLS, of all together: fewer than the gate carries (gate::Limits::max_clients), so that who is turned
    /// away is told why.
    std::size_t max_remote_connections = 120;
    std::size_t max_certificate_connections = 32;  ///< of one certificate, by whichever addresses
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
    /// After the last reply: true once the client must have read it, for it asks the next thing or has gone.
    [[nodiscard]] virtual bool heard() const = 0;
    /// From now on this connection may only look, or again what its peer may (Peer::locked).
    virtual void set_locked(bool locked) = 0;
};

/// What happens on a call. Called once for each; must see to it that a last reply is sent, at once or later.
class Handler {
public:
    virtual ~Handler() = default;
    virtual void on_call(const protocol::Call& call, const Peer& peer, std::shared_ptr<Replier> replier) = 0;
    /// A client was cut off or turned away, with the reason: for a log. From the loop, never from within a reply,
    /// and as often as it happens. @param source  what all that one caller does has in common
    virtual void on_trouble(const std::string& source, const Message& what) = 0;
};

/// Listens on a Unix stream socket, and takes clients that came another way. A client that sends half a message,
/// too much, or nothing for ever, or stops reading, costs its own bounds and then its own connection. Thread: the
/// loop's alone. Lifetime: the handler outlives the server; the server outlives the loop's last run.
class Server {
public:
    /// Without `role_of_groups` all users but root may only look.
    Server(Spawner spawner, Handler& handler, Limits limits, RoleOfGroups role_of_groups = {});
    ~Server();

    /// Makes the socket (mode 0666: who may do what is decided by peer credentials and groups), replacing a socket
    /// that is left over from a process that has ended, and starts to accept.
    /// @error daemon.listen_failed, daemon.already_running where another process answers on it
    Result<void> listen(const std::string& path);
    /// Takes a client that something else has let in, over a Unix stream socket that carries its bytes.
    void admit(UniqueFd socket, Peer peer);
    /// Ends every connection and removes the socket.
    void stop();
    [[nodiscard]] std::size_t connections() const;
    /// Who is connected, in the order in which they came.
    [[nodiscard]] std::vector<protocol::Client> clients() const;

    class Impl;

private:
    std::shared_ptr<Impl> impl_;
};

}  // namespace stillboot::server
