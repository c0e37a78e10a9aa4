// SPDX-License-Identifier: Apache-2.0
// Accepting clients, as many as there is room for.
#include "daemon/server/server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <vector>

#include "daemon/protocol/failure.hpp"
#include "daemon/server/connection.hpp"

namespace stillboot::server {
namespace {

namespace asio = boost::asio;
using Protocol = asio::local::stream_protocol;
constexpr auto use_result = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds accept_pause{200};

Peer peer_of(int socket, const RoleOfGroups& role_of_groups) {
    struct ucred credentials = {};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return {};
    }
    if (credentials.uid == 0 || !role_of_groups) {
        Peer peer(credentials.uid, credentials.pid);
        peer.terminal = terminal_of(credentials.pid);
        return peer;
    }
    return {credentials.uid, credentials.pid, role_of_groups(groups_of_peer(socket))};
}

bool answers(const Protocol::endpoint& endpoint, const asio::any_io_executor& executor) {
    Protocol::socket attempt(executor);
    boost::system::error_code failure;
    attempt.connect(endpoint, failure);
    return !failure;
}

}  // namespace

class Server::Impl : public std::enable_shared_from_this<Impl> {
public:
    Impl(Spawner spawner, Handler& handler, Limits limits, RoleOfGroups role_of_groups)
        : spawner_(std::move(spawner)),
          handler_(handler),
          limits_(limits),
          role_of_groups_(std::move(role_of_groups)),
          acceptor_(spawner_.executor()),
          pause_(spawner_.executor()) {}

    Result<void> listen(const std::string& path);
    asio::awaitable<void> accept_all();
    void admit(Protocol::socket socket, Peer peer);
    void admit(UniqueFd socket, Peer peer);
    void stop();
    [[nodiscard]] std::optional<Message> why_no_room(const Peer& peer);
    [[nodiscard]] std::size_t count_open();
    [[nodiscard]] std::vector<protocol::Client> clients() const;

private:
    Spawner spawner_;
    Handler& handler_;
    Limits limits_;
    RoleOfGroups role_of_groups_;
    Protocol::acceptor acceptor_;
    asio::steady_timer pause_;
    std::shared_ptr<std::size_t> unread_ = std::make_shared<std::size_t>(0);
    std::string path_;
    std::vector<std::weak_ptr<Connection>> connections_;
};

Result<void> Server::Impl::listen(const std::string& path) {
    const auto fail = [&](int error_number) {
        return Error::from_errno(error_number, "daemon.listen_failed", {{"path", path}});
    };
    if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
        return fail(ENAMETOOLONG);
    }
    const Protocol::endpoint endpoint(path);
    if (answers(endpoint, spawner_.executor())) {
        return Error("daemon.already_running", {{"path", path}});
    }
    struct stat there = {};
    if (::lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode)) {
        ::unlink(path.c_str());
    }
    boost::system::error_code failure;
    acceptor_.open(endpoint.protocol(), failure);
    if (!failure) {
        acceptor_.bind(endpoint, failure);
    }
    if (!failure && ::chmod(path.c_str(), 0666) != 0) {
        return fail(errno);
    }
    if (!failure) {
        path_ = path;
        acceptor_.listen(asio::socket_base::max_listen_connections, failure);
    }
    if (failure) {
        return fail(failure.value());
    }
    spawner_.spawn("accepting clients", accept_all());
    return {};
}

asio::awaitable<void> Server::Impl::accept_all() {
    const auto self = shared_from_this();
    while (acceptor_.is_open()) {
        auto [failure, socket] = co_await acceptor_.async_accept(use_result);
        if (!acceptor_.is_open()) {
            co_return;
        }
        if (failure) {
            // Out of descriptors, most likely: it passes when clients go.
            pause_.expires_after(accept_pause);
            auto [woken] = co_await pause_.async_wait(use_result);
            static_cast<void>(woken);
            continue;
        }
        Peer peer = peer_of(socket.native_handle(), role_of_groups_);
        admit(std::move(socket), std::move(peer));
    }
}

void Server::Impl::admit(UniqueFd socket, Peer peer) {
    Protocol::socket taken(spawner_.executor());
    boost::system::error_code failure;
    taken.assign(Protocol(), socket.get(), failure);
    if (!failure) {
        static_cast<void>(socket.release());
        admit(std::move(taken), std::move(peer));
    }
}

std::optional<Message> Server::Impl::why_no_room(const Peer& peer) {
    const auto full = [](const char* code, std::size_t count) {
        return Message(code, {{"count", std::uint64_t{count}}});
    };
    if (const std::size_t open = count_open(); open >= limits_.max_connections) {
        return full("daemon.connections_full", open);
    }
    if (peer.is_root()) {
        return std::nullopt;
    }
    std::size_t users = 0;
    std::size_t remote = 0;
    std::size_t own = 0;
    for (const auto& each : connections_) {
        const auto connection = each.lock();
        users += connection->peer().is_root() ? 0 : 1;
        remote += connection->peer().is_local() ? 0 : 1;
        own += connection->peer().key() == peer.key() ? 1 : 0;
    }
    if (own >= (peer.is_local() ? limits_.max_own_connections : limits_.max_certificate_connections)) {
        return full("daemon.connections_own", own);
    }
    if (!peer.is_local() && remote >= limits_.max_remote_connections) {
        return full("daemon.connections_remote", remote);
    }
    if (users >= limits_.max_user_connections) {
        return full("daemon.connections_full", users);
    }
    return std::nullopt;
}

void Server::Impl::admit(Protocol::socket socket, Peer peer) {
    if (const auto why = why_no_room(peer)) {
        handler_.on_trouble(peer.key(), Message("daemon.client_turned_away",
                                                {{"peer", peer.who().sentence()}, {"reason", why->sentence()}}));
        const std::string last_words = protocol::encode(protocol::refused(*why));
        boost::system::error_code ignored;
        socket.non_blocking(true, ignored);
        socket.write_some(asio::buffer(last_words), ignored);
        return;
    }
    const auto connection =
        std::make_shared<Connection>(std::move(socket), std::move(peer), handler_, limits_, unread_);
    connections_.push_back(connection);
    spawner_.spawn("reading from a client", connection->read_calls(connection));
    spawner_.spawn("writing to a client", connection->write_replies(connection));
}

std::size_t Server::Impl::count_open() {
    std::erase_if(connections_, [](const std::weak_ptr<Connection>& each) {
        const auto connection = each.lock();
        return !connection || !connection->holds_socket();
    });
    return connections_.size();
}

std::vector<protocol::Client> Server::Impl::clients() const {
    std::vector<protocol::Client> out;
    for (const auto& each : connections_) {
        const auto connection = each.lock();
        if (connection && connection->holds_socket()) {
            out.push_back(connection->description());
        }
    }
    return out;
}

void Server::Impl::stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    for (const auto& each : connections_) {
        if (const auto connection = each.lock()) {
            connection->close();
        }
    }
    if (!path_.empty()) {
        ::unlink(std::exchange(path_, {}).c_str());
    }
}

Server::Server(Spawner spawner, Handler& handler, Limits limits, RoleOfGroups role_of_groups)
    : impl_(std::make_shared<Impl>(std::move(spawner), handler, limits, std::move(role_of_groups))) {}

Server::~Server() {
    stop();
}

Result<void> Server::listen(const std::string& path) {
    return impl_->listen(path);
}
void Server::admit(UniqueFd socket, Peer peer) {
    impl_->admit(std::move(socket), std::move(peer));
}
void Server::stop() {
    impl_->stop();
}
std::size_t Server::connections() const {
    return impl_->count_open();
}
std::vector<protocol::Client> Server::clients() const {
    return impl_->clients();
}

}  // namespace stillboot::server
