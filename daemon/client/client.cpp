// SPDX-License-Identifier: Apache-2.0
// The varlink client over whatever carries its bytes.
#include "daemon/client/client.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "daemon/loop/deadline.hpp"
#include "daemon/tls/tls.hpp"

namespace stillboot::client {
namespace {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;
constexpr auto use_result = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds tls_deadline{20'000};  // of each: name and connection, handshake, first answer
constexpr std::chrono::milliseconds ssh_deadline{20'000};
constexpr std::chrono::milliseconds ssh_deadline_of_a_person{120'000};  // who types a password

Error ended() {
    return Error("daemon.connection_ended");
}

Error ended(const boost::system::error_code& failure) {
    const bool silent = failure == asio::error::timed_out || failure == asio::error::host_unreachable ||
                        failure == asio::error::network_unreachable;
    return silent ? Error("daemon.connection_lost", {{"reason", failure.message()}}) : ended();
}

Error timed_out(std::chrono::milliseconds deadline) {
    return Error("daemon.timed_out",
                 {{"seconds", std::int64_t{std::chrono::duration_cast<std::chrono::seconds>(deadline).count()}}});
}

// co_spawn wants results that can be made of nothing; Result cannot.
template <class T>
asio::awaitable<void> keep_result(asio::awaitable<Result<T>> work, std::optional<Result<T>>* out) {
    auto result = co_await std::move(work);
    out->emplace(std::move(result));
}

Error tls_failed(const Address& address, const std::string& reason) {
    return Error("daemon.tls_failed", {{"host", address.host}, {"reason", reason}});
}

asio::awaitable<Result<Tcp::socket>> open_tcp(asio::any_io_executor executor, std::string host,
                                              std::uint16_t port) {
    Tcp::resolver resolver(executor);
    Tcp::socket socket(executor);
    const Deadline watch(executor, tls_deadline, [&resolver, &socket] {
        boost::system::error_code ignored;
        resolver.cancel();
        socket.close(ignored);
    });
    const std::string service = std::to_string(port);
    auto [failure, found] = co_await resolver.async_resolve(host, service, use_result);
    if (!failure) {
        auto [refused, endpoint] = co_await asio::async_connect(socket, found, use_result);
        static_cast<void>(endpoint);
        failure = refused;
    }
    if (failure) {
        co_return watch.expired() ? timed_out(tls_deadline) : Error("daemon.said", {{"text", failure.message()}});
    }
    boost::system::error_code ignored;
    socket.set_option(Tcp::no_delay(true), ignored);
    co_return Result<Tcp::socket>(std::move(socket));
}

}  // namespace

asio::awaitable<Result<void>> Client::connect(Address address) {
    close();
    reader_ = protocol::FrameReader(protocol::max_reply_bytes);
    ssh_.reset();
    if (address.kind == Address::Kind::ssh) {
        auto connected = co_await connect_ssh(std::move(address));
        co_return connected;
    }
    if (address.kind == Address::Kind::tls) {
        auto connected = co_await connect_tls(std::move(address));
        co_return connected;
    }
    auto connected = co_await connect_unix(std::move(address.path));
    co_return connected;
}

asio::awaitable<Result<void>> Client::connect_unix(std::string path) {
    if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
        co_return Error::from_errno(ENAMETOOLONG, "daemon.unreachable", {{"path", path}});
    }
    const Local::endpoint endpoint(path);
    Local::socket socket(executor_);
    auto [failure] = co_await socket.async_connect(endpoint, use_result);
    if (failure) {
        co_return Error::from_errno(failure.value(), "daemon.unreachable", {{"path", path}});
    }
    stream_ = std::make_unique<SocketStream<Local::socket>>(std::move(socket));
    co_return Result<void>();
}

// Until the daemon has answered the connection is ssh's alone, and so is what ends it.
asio::awaitable<Result<void>> Client::connect_ssh(Address address) {
    auto ssh = Ssh::start(address);
    if (!ssh) {
        co_return ssh.error();
    }
    ssh_ = std::make_unique<Ssh>(std::move(*ssh));
    Local::socket socket(executor_, Local(), ssh_->take_socket().release());
    stream_ = std::make_unique<SocketStream<Local::socket>>(std::move(socket));
    auto greeted = co_await greet(address.may_ask ? ssh_deadline_of_a_person : ssh_deadline);
    if (!greeted && greeted.error().code() == "daemon.connection_ended") {
        co_return ssh_->why_ended();
    }
    co_return greeted;
}

asio::awaitable<Result<void>> Client::connect_tls(Address address) {
    auto context = tls::load(tls::Side::client, address.files);
    if (!context) {
        co_return context.error();
    }
    auto socket = co_await open_tcp(executor_, address.host, address.port);
    if (!socket) {
        co_return tls_failed(address, socket.error().sentence());
    }
    auto stream = co_await tls::connect(std::move(*context), std::move(*socket), address.host, tls_deadline);
    if (!stream) {
        co_return tls_failed(address, stream.error().sentence());
    }
    stream_ = std::move(*stream);
    // The other side looks at our certificate when the handshake is over for us: what it thinks of it comes now.
    auto greeted = co_await greet(tls_deadline);
    if (!greeted && greeted.error().code() == "daemon.connection_ended") {
        co_return tls_failed(address, tls::words_of(failure_));
    }
    co_return greeted;
}

// A first call, whose answer shows that a daemon is there.
asio::awaitable<Result<void>> Client::greet(std::chrono::milliseconds deadline) {
    boost::json::object nothing;
    auto answer = co_await call("org.varlink.service.GetInfo", std::move(nothing), deadline);
    if (!answer) {
        co_return answer.error();
    }
    co_return Result<void>();
}

asio::awaitable<Result<void>> Client::send(std::string frame) {
    std::array<char, 1024> last_words;
    std::size_t written = 0;
    while (is_open() && written < frame.size()) {
        const auto rest = asio::buffer(frame) + written;
        auto [failure, count] = co_await stream_->write_some(rest);
        if (failure) {
            failure_ = failure;
            // Whoever cut us off may have said why, and that is still to be read: TLS with an error of its own, a
            // service that has no room with a reply.
            const auto room = asio::buffer(last_words);
            auto [reason, more] = co_await stream_->read_some(room);
            static_cast<void>(reader_.feed({last_words.data(), more}));
            failure_ = reason ? reason : failure_;
            close();
        }
        written += count;
    }
    if (!is_open()) {
        co_return ended();
    }
    co_return Result<void>();
}

asio::awaitable<Result<protocol::Reply>> Client::receive() {
    std::array<char, 16 * 1024> chunk;
    for (;;) {
        if (const auto frame = reader_.next()) {
            auto reply = protocol::decode_reply(*frame);
            if (!reply) {
                close();
            }
            co_return reply;
        }
        if (!is_open()) {
            co_return ended();
        }
        const auto room = asio::buffer(chunk);
        auto [failure, count] = co_await stream_->read_some(room);
        if (failure) {
            failure_ = failure;
            close();
            co_return ended(failure);
        }
        if (auto fed = reader_.feed({chunk.data(), count}); !fed) {
            close();
            co_return fed.error();
        }
    }
}

asio::awaitable<Result<boost::json::object>> Client::call(std::string method, boost::json::object parameters,
                                                          std::chrono::milliseconds deadline) {
    const Deadline watch(executor_, deadline, [this] { close(); });
    protocol::Call message;
    message.method = std::move(method);
    message.parameters = std::move(parameters);
    auto sent = co_await send(protocol::encode(message));
    auto reply = co_await receive();  // also where the other side did not take all of it, but has said why
    if (!reply) {
        co_return watch.expired() ? timed_out(deadline) : sent ? reply.error() : sent.error();
    }
    if (!reply->error.empty()) {
        co_return protocol::to_error(*reply);
    }
    co_return std::move(reply->parameters);
}

asio::awaitable<Result<void>> Client::open(std::string method, boost::json::object parameters) {
    protocol::Call message;
    message.method = std::move(method);
    message.parameters = std::move(parameters);
    message.more = true;
    auto sent = co_await send(protocol::encode(message));
    co_return sent;
}

asio::awaitable<Result<protocol::Reply>> Client::next(std::optional<std::chrono::milliseconds> deadline) {
    std::optional<Deadline> watch;
    if (deadline) {
        watch.emplace(executor_, *deadline, [this] { close(); });
    }
    auto reply = co_await receive();
    if (!reply && watch && watch->expired()) {
        co_return timed_out(*deadline);
    }
    if (reply && !reply->error.empty()) {
        co_return protocol::to_error(*reply);
    }
    co_return reply;
}

void Client::close() {
    if (stream_) {
        stream_->close();
    }
}

template <class T>
Result<T> BlockingClient::wait_for(asio::awaitable<Result<T>> work) {
    std::optional<Result<T>> out;
    asio::co_spawn(context_, keep_result(std::move(work), &out), [&](std::exception_ptr thrown) {
        if (thrown) {
            out = Result<T>(ended());
        }
    });
    context_.restart();
    while (!out) {
        context_.run_one();
    }
    return std::move(*out);
}

Result<void> BlockingClient::connect(const Address& address) {
    return wait_for(client_->connect(address));
}

Result<boost::json::object> BlockingClient::call(const std::string& method, boost::json::object parameters,
                                                 std::chrono::milliseconds deadline) {
    return wait_for(client_->call(method, std::move(parameters), deadline));
}

Result<void> BlockingClient::open(const std::string& method, boost::json::object parameters) {
    return wait_for(client_->open(method, std::move(parameters)));
}

Result<protocol::Reply> BlockingClient::next(std::optional<std::chrono::milliseconds> deadline) {
    return wait_for(client_->next(deadline));
}

}  // namespace stillboot::client
