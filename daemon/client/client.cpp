// SPDX-License-Identifier: Apache-2.0
// The varlink client over a Unix stream socket.
#include "daemon/client/client.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "daemon/loop/deadline.hpp"

namespace stillboot::client {
namespace {

namespace asio = boost::asio;
constexpr auto use_result = asio::as_tuple(asio::use_awaitable);

Error ended() {
    return Error("daemon.connection_ended");
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

}  // namespace

asio::awaitable<Result<void>> Client::connect(std::string path) {
    close();
    reader_ = protocol::FrameReader(protocol::max_reply_bytes);
    if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
        co_return Error::from_errno(ENAMETOOLONG, "daemon.unreachable", {{"path", path}});
    }
    const asio::local::stream_protocol::endpoint endpoint(path);
    auto [failure] = co_await socket_.async_connect(endpoint, use_result);
    if (failure) {
        close();
        co_return Error::from_errno(failure.value(), "daemon.unreachable", {{"path", path}});
    }
    co_return Result<void>();
}

asio::awaitable<Result<void>> Client::send(std::string frame) {
    auto [failure, count] = co_await asio::async_write(socket_, asio::buffer(frame), use_result);
    static_cast<void>(count);
    if (failure) {
        close();
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
        auto [failure, count] = co_await socket_.async_read_some(asio::buffer(chunk), use_result);
        if (failure) {
            close();
            co_return ended();
        }
        if (auto fed = reader_.feed({chunk.data(), count}); !fed) {
            close();
            co_return fed.error();
        }
    }
}

asio::awaitable<Result<boost::json::object>> Client::call(std::string method, boost::json::object parameters,
                                                          std::chrono::milliseconds deadline) {
    const Deadline watch(socket_.get_executor(), deadline, [this] { close(); });
    protocol::Call message;
    message.method = std::move(method);
    message.parameters = std::move(parameters);
    auto sent = co_await send(protocol::encode(message));
    if (!sent) {
        co_return watch.expired() ? timed_out(deadline) : sent.error();
    }
    auto reply = co_await receive();
    if (!reply) {
        co_return watch.expired() ? timed_out(deadline) : reply.error();
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
        watch.emplace(socket_.get_executor(), *deadline, [this] { close(); });
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
    boost::system::error_code ignored;
    socket_.close(ignored);
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

Result<void> BlockingClient::connect(const std::string& path) {
    return wait_for(client_->connect(path));
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
