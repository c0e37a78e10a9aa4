// SPDX-License-Identifier: Apache-2.0
// Accepting clients, as many as there is room for.
#include "daemon/server/server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <list>
#include <sstream>
#include <vector>

#include "daemon/server/connection.hpp"

namespace stillboot::server {
namespace {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;
constexpr auto use_result = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds accept_pause{200};

Peer peer_of(int socket, const RoleOfGroups& role_of_groups) {
    struct ucred credentials = {};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return {};
    }
    if (credentials.uid == 0 || !role_of_groups) {
        return {credentials.uid, credentials.pid};
    }
    return {credentials.uid, credentials.pid, role_of_groups(groups_of_peer(socket))};
}

// "[::1]:80", "127.0.0.1:80"
Tcp::endpoint endpoint_of(const std::string& text, boost::system::error_code& failure) {
    const std::size_t colon = text.rfind(':');
    std::uint16_t port = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + (colon == text.npos ? text.size() : colon + 1), end, port);
    if (colon == text.npos || read.ptr != end || read.ec != std::errc()) {
        failure = asio::error::invalid_argument;
        return {};
    }
    std::string host = text.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    return {asio::ip::make_address(host, failure), port};
}

std::string text_of(const Tcp::endpoint& endpoint) {
    std::ostringstream text;
    text << endpoint;
    return text.str();
}

bool answers(const Local::endpoint& endpoint, const asio::any_io_executor& executor) {
    Local::socket attempt(executor);
    boost::system::error_code failure;
    attempt.connect(endpoint, failure);
    return !failure;
}

}  // namespace

void Handler::on_refused(const std::string&, const Error&) {}

class Server::Impl : public std::enable_shared_from_this<Impl> {
public:
    Impl(Spawner spawner, Handler& handler, Limits limits, RoleOfGroups role_of_groups)
        : spawner_(std::move(spawner)),
          handler_(handler),
          limits_(limits),
          role_of_groups_(std::move(role_of_groups)),
          acceptor_(spawner_.executor()) {}

    Result<void> listen(const std::string& path);
    asio::awaitable<void> accept_all();
    Result<std::string> listen_tls(const std::string& address, const tls::ContextPtr& context);
    asio::awaitable<void> accept_tls(Tcp::acceptor& acceptor, tls::ContextPtr context);
    asio::awaitable<void> shake_hands(Tcp::socket socket, Tcp::endpoint remote, tls::ContextPtr context);
    asio::awaitable<void> pause();
    void admit(std::unique_ptr<Stream> stream, Peer peer);
    void stop();
    [[nodiscard]] std::size_t count_open();

private:
    Spawner spawner_;
    Handler& handler_;
    Limits limits_;
    RoleOfGroups role_of_groups_;
    Local::acceptor acceptor_;
    std::list<Tcp::acceptor> tls_acceptors_;  // each stays where its coroutine sees it
    std::size_t handshakes_ = 0;
    bool stopped_ = false;
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
    const Local::endpoint endpoint(path);
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

Result<std::string> Server::Impl::listen_tls(const std::string& address, const tls::ContextPtr& context) {
    boost::system::error_code failure;
    const Tcp::endpoint endpoint = endpoint_of(address, failure);
    Tcp::acceptor acceptor(spawner_.executor());
    if (!failure) {
        acceptor.open(endpoint.protocol(), failure);
    }
    if (!failure && endpoint.address().is_v6()) {
        acceptor.set_option(asio::ip::v6_only(false), failure);
    }
    if (!failure) {
        acceptor.set_option(Tcp::acceptor::reuse_address(true), failure);
    }
    if (!failure) {
        acceptor.bind(endpoint, failure);
    }
    if (!failure) {
        acceptor.listen(asio::socket_base::max_listen_connections, failure);
    }
    if (failure) {
        return Error("daemon.tls_not_listening", {{"address", address}, {"reason", failure.message()}});
    }
    const std::string listens_on = text_of(acceptor.local_endpoint(failure));
    tls_acceptors_.push_back(std::move(acceptor));
    spawner_.spawn("accepting clients over TLS", accept_tls(tls_acceptors_.back(), context));
    return listens_on;
}

// Out of descriptors, most likely: it passes when clients go.
asio::awaitable<void> Server::Impl::pause() {
    asio::steady_timer timer(spawner_.executor(), accept_pause);
    auto [woken] = co_await timer.async_wait(use_result);
    static_cast<void>(woken);
}

asio::awaitable<void> Server::Impl::accept_all() {
    const auto self = shared_from_this();
    while (acceptor_.is_open()) {
        auto [failure, socket] = co_await acceptor_.async_accept(use_result);
        if (!acceptor_.is_open()) {
            co_return;
        }
        if (failure) {
            co_await pause();
            continue;
        }
        Peer peer = peer_of(socket.native_handle(), role_of_groups_);
        admit(std::make_unique<SocketStream<Local::socket>>(std::move(socket)), std::move(peer));
    }
}

asio::awaitable<void> Server::Impl::accept_tls(Tcp::acceptor& acceptor, tls::ContextPtr context) {
    const auto self = shared_from_this();
    while (acceptor.is_open()) {
        auto [failure, socket] = co_await acceptor.async_accept(use_result);
        if (!acceptor.is_open()) {
            co_return;
        }
        if (failure) {
            co_await pause();
            continue;
        }
        const auto remote = socket.remote_endpoint(failure);
        if (failure) {
            continue;  // gone already
        }
        if (handshakes_ >= limits_.max_handshakes) {
            handler_.on_refused(remote.address().to_string(), Error("daemon.tls_busy"));
            continue;
        }
        ++handshakes_;
        spawner_.spawn("shaking hands", shake_hands(std::move(socket), remote, context));
    }
}

// Who has no certificate that counts never becomes a connection, and takes no place of one.
asio::awaitable<void> Server::Impl::shake_hands(Tcp::socket socket, Tcp::endpoint remote,
                                                tls::ContextPtr context) {
    const auto self = shared_from_this();
    boost::system::error_code ignored;
    socket.set_option(Tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    auto accepted = co_await tls::accept(std::move(context), std::move(socket), limits_.handshake_deadline);
    --handshakes_;
    if (stopped_) {
        co_return;
    }
    if (!accepted) {
        handler_.on_refused(remote.address().to_string(), accepted.error());
        co_return;
    }
    admit(std::move(accepted->stream), Peer(std::move(accepted->name), text_of(remote), accepted->role));
}

void Server::Impl::admit(std::unique_ptr<Stream> stream, Peer peer) {
    std::size_t users = 0;
    for (const auto& each : connections_) {
        const auto connection = each.lock();
        users += connection && connection->holds_socket() && !connection->peer().is_root() ? 1 : 0;
    }
    if (count_open() >= limits_.max_connections || (!peer.is_root() && users >= limits_.max_user_connections)) {
        return;
    }
    const auto connection =
        std::make_shared<Connection>(spawner_.executor(), std::move(stream), std::move(peer), handler_, limits_);
    connections_.push_back(connection);
    spawner_.spawn("reading from a client", connection->read_calls());
    spawner_.spawn("writing to a client", connection->write_replies());
}

std::size_t Server::Impl::count_open() {
    std::erase_if(connections_, [](const std::weak_ptr<Connection>& each) {
        const auto connection = each.lock();
        return !connection || !connection->holds_socket();
    });
    return connections_.size();
}

void Server::Impl::stop() {
    stopped_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    for (Tcp::acceptor& each : tls_acceptors_) {
        each.close(ignored);
    }
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
Result<std::string> Server::listen_tls(const std::string& address, const tls::ContextPtr& context) {
    return impl_->listen_tls(address, context);
}
void Server::stop() {
    impl_->stop();
}
std::size_t Server::connections() const {
    return impl_->count_open();
}

}  // namespace stillboot::server
