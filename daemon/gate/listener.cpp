// SPDX-License-Identifier: Apache-2.0
// Accepting, handshakes, and carrying bytes both ways.
#include "daemon/gate/listener.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <sstream>
#include <vector>

#include "config/base/endpoint.hpp"
#include "daemon/loop/deadline.hpp"

namespace stillboot::gate {
namespace {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;
constexpr auto use_result = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds accept_pause{200};
constexpr std::size_t chunk_bytes = std::size_t{16} * 1024;  // of one TLS record

Tcp::endpoint endpoint_of(const std::string& text, boost::system::error_code& failure) {
    const auto endpoint = split_endpoint(text);
    if (!endpoint) {
        failure = asio::error::invalid_argument;
        return {};
    }
    return {asio::ip::make_address(endpoint->host, failure), endpoint->port};
}

std::string text_of(const Tcp::endpoint& endpoint) {
    std::ostringstream text;
    text << endpoint;
    return text.str();
}

/// A client's two ends: what either says goes to the other, and when one is gone, so is the other.
class Carried {
public:
    Carried(std::unique_ptr<Stream> client, std::unique_ptr<Stream> daemon)
        : client_(std::move(client)), daemon_(std::move(daemon)) {}
    [[nodiscard]] Stream& client() { return *client_; }
    [[nodiscard]] Stream& daemon() { return *daemon_; }
    void close() {
        client_->close();
        daemon_->close();
    }

private:
    std::unique_ptr<Stream> client_;
    std::unique_ptr<Stream> daemon_;
};

// One way of a client's bytes. Whoever does not take them in time is given up.
asio::awaitable<void> carry(asio::any_io_executor executor, std::shared_ptr<Carried> carried, Stream& from,
                            Stream& to, std::chrono::milliseconds write_deadline) {
    std::vector<char> chunk(chunk_bytes);
    bool goes_on = true;
    while (goes_on) {
        const auto room = asio::buffer(chunk);
        auto [ended, count] = co_await from.read_some(room);
        goes_on = !ended;
        for (std::size_t written = 0; goes_on && written < count;) {
            const Deadline deadline(executor, write_deadline, [&carried] { carried->close(); });
            const auto rest = asio::buffer(chunk.data() + written, count - written);
            auto [failure, taken] = co_await to.write_some(rest);
            goes_on = !failure;
            written += taken;
        }
    }
    carried->close();
}

}  // namespace

class Listener::Impl : public std::enable_shared_from_this<Impl> {
public:
    Impl(Spawner spawner, tls::ContextPtr context, Limits limits, Events events)
        : spawner_(std::move(spawner)),
          context_(std::move(context)),
          limits_(limits),
          events_(std::move(events)) {}

    Result<std::string> listen(const std::string& address);
    void stop();

private:
    asio::awaitable<void> accept_all(Tcp::acceptor& acceptor);
    asio::awaitable<void> shake_hands(Tcp::socket socket, Tcp::endpoint remote);
    void let_in(tls::Accepted accepted, const Tcp::endpoint& remote);
    std::size_t count_clients();

    Spawner spawner_;
    tls::ContextPtr context_;
    Limits limits_;
    Events events_;
    std::list<Tcp::acceptor> acceptors_;  // each stays where its coroutine sees it
    std::vector<std::weak_ptr<Carried>> carried_;
    std::vector<asio::ip::address> handshakes_;  // whose are under way
    bool stopped_ = false;
};

Result<std::string> Listener::Impl::listen(const std::string& address) {
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
    acceptors_.push_back(std::move(acceptor));
    spawner_.spawn("accepting clients over TLS", accept_all(acceptors_.back()));
    return listens_on;
}

asio::awaitable<void> Listener::Impl::accept_all(Tcp::acceptor& acceptor) {
    const auto self = shared_from_this();
    while (acceptor.is_open()) {
        auto [failure, socket] = co_await acceptor.async_accept(use_result);
        if (!acceptor.is_open()) {
            co_return;
        }
        if (failure) {
            // Out of descriptors, most likely: it passes when clients go.
            asio::steady_timer timer(spawner_.executor(), accept_pause);
            auto [woken] = co_await timer.async_wait(use_result);
            static_cast<void>(woken);
            continue;
        }
        const auto remote = socket.remote_endpoint(failure);
        if (failure) {
            continue;  // gone already
        }
        const auto own = std::count(handshakes_.begin(), handshakes_.end(), remote.address());
        const bool its_share = static_cast<std::size_t>(own) >= limits_.max_own_handshakes;
        if (its_share || handshakes_.size() >= limits_.max_handshakes) {
            events_.on_refused(remote.address().to_string(),
                               Error(its_share ? "daemon.tls_busy_own" : "daemon.tls_busy"));
            continue;
        }
        handshakes_.push_back(remote.address());
        spawner_.spawn("shaking hands", shake_hands(std::move(socket), remote));
    }
}

// Who has no certificate that counts never becomes a client, and takes no place of one.
asio::awaitable<void> Listener::Impl::shake_hands(Tcp::socket socket, Tcp::endpoint remote) {
    const auto self = shared_from_this();
    boost::system::error_code ignored;
    socket.set_option(Tcp::no_delay(true), ignored);
    auto accepted = co_await tls::accept(context_, std::move(socket), limits_.handshake_deadline);
    handshakes_.erase(std::find(handshakes_.begin(), handshakes_.end(), remote.address()));
    if (stopped_) {
        co_return;
    }
    if (!accepted) {
        events_.on_refused(remote.address().to_string(), accepted.error());
        co_return;
    }
    let_in(std::move(*accepted), remote);
}

std::size_t Listener::Impl::count_clients() {
    std::erase_if(carried_, [](const std::weak_ptr<Carried>& each) { return each.expired(); });
    return carried_.size();
}

void Listener::Impl::let_in(tls::Accepted accepted, const Tcp::endpoint& remote) {
    std::array<int, 2> ends = {-1, -1};
    if (count_clients() >= limits_.max_clients ||
        ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return events_.on_refused(remote.address().to_string(), Error("daemon.tls_full"));
    }
    Client client{text_of(remote), std::move(accepted.name), accepted.role, UniqueFd(ends[1])};
    Local::socket ours(spawner_.executor(), Local(), ends[0]);
    const auto carried = std::make_shared<Carried>(std::move(accepted.stream),
                                                   std::make_unique<SocketStream<Local::socket>>(std::move(ours)));
    carried_.push_back(carried);
    const auto executor = spawner_.executor();
    spawner_.spawn("carrying calls",
                   carry(executor, carried, carried->client(), carried->daemon(), limits_.write_deadline));
    spawner_.spawn("carrying replies",
                   carry(executor, carried, carried->daemon(), carried->client(), limits_.write_deadline));
    events_.on_client(std::move(client));
}

void Listener::Impl::stop() {
    stopped_ = true;
    boost::system::error_code ignored;
    for (Tcp::acceptor& each : acceptors_) {
        each.close(ignored);
    }
    for (const auto& each : carried_) {
        if (const auto carried = each.lock()) {
            carried->close();
        }
    }
}

Listener::Listener(Spawner spawner, tls::ContextPtr context, Limits limits, Events events)
    : impl_(std::make_shared<Impl>(std::move(spawner), std::move(context), limits, std::move(events))) {}

Listener::~Listener() {
    stop();
}

Result<std::string> Listener::listen(const std::string& address) {
    return impl_->listen(address);
}
void Listener::stop() {
    impl_->stop();
}

}  // namespace stillboot::gate
