// SPDX-License-Identifier: Apache-2.0
// A varlink client on an Asio loop, and one that blocks.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "daemon/client/address.hpp"
#include "daemon/client/deadlines.hpp"
#include "daemon/client/ssh.hpp"
#include "daemon/loop/stream.hpp"
#include "daemon/protocol/failure.hpp"
#include "daemon/protocol/json.hpp"
#include "daemon/protocol/varlink.hpp"

namespace stillboot::client {

/// One connection, one call at a time (varlink answers in order); a stream wants a connection of its own.
/// Errors of its functions are told apart by protocol::classify. After one that is not the service's own answer
/// the connection is closed. Thread: the loop's alone. Lifetime: outlives the coroutines it returns.
class Client {
public:
    explicit Client(const boost::asio::any_io_executor& executor) : executor_(executor) {}

    /// Connects to a daemon. @error daemon.unreachable; by ssh or TLS also daemon.ssh_failed,
    /// daemon.tls_failed, daemon.tls_files, daemon.no_tls, and what call() gives
    boost::asio::awaitable<Result<void>> connect(Address address);

    /// Calls a method and awaits its one reply. @error the service's own (protocol::to_error), daemon.timed_out,
    /// daemon.connection_ended, and what protocol::decode_reply gives
    boost::asio::awaitable<Result<boost::json::object>> call(std::string method, boost::json::object parameters,
                                                             std::chrono::milliseconds deadline);
    /// Calls a method with `more`; the replies come from `next`.
    boost::asio::awaitable<Result<void>> open(std::string method, boost::json::object parameters);
    /// The next reply of the stream, without a deadline where none is given. `continues` is false in the last one.
    boost::asio::awaitable<Result<protocol::Reply>> next(std::optional<std::chrono::milliseconds> deadline);

    /// Ends the connection; whatever awaits it gets daemon.connection_ended.
    void close();
    [[nodiscard]] bool is_open() const { return stream_ && stream_->is_open(); }

private:
    boost::asio::awaitable<Result<void>> connect_unix(std::string path);
    boost::asio::awaitable<Result<void>> connect_ssh(Address address);
    boost::asio::awaitable<Result<void>> connect_tls(Address address);
    boost::asio::awaitable<Result<void>> greet(std::chrono::milliseconds deadline);
    boost::asio::awaitable<Result<void>> send(std::string frame);
    boost::asio::awaitable<Result<protocol::Reply>> receive();

    boost::asio::any_io_executor executor_;
    std::unique_ptr<Ssh> ssh_;  // what carries the stream, where it is that
    std::unique_ptr<Stream> stream_;
    boost::system::error_code failure_;  // of the stream, where it failed
    protocol::FrameReader reader_{protocol::max_reply_bytes};
};

/// Calls a method of io.stillboot by its type: `call<protocol::GetState>(client, {})`.
template <class Method>
boost::asio::awaitable<Result<typename Method::Reply>> call(
    Client& client, typename Method::Parameters parameters,
    std::chrono::milliseconds deadline = deadline_of(Method::name)) {
    boost::json::object object = protocol::to_json(parameters).as_object();
    auto reply = co_await client.call(std::string(Method::name), std::move(object), deadline);
    if (!reply) {
        co_return reply.error();
    }
    co_return protocol::from_json<typename Method::Reply>(boost::json::value(std::move(*reply)));
}

/// Opens a stream of a method of io.stillboot; `next<Method>` gives its replies.
template <class Method>
boost::asio::awaitable<Result<void>> open(Client& client, typename Method::Parameters parameters) {
    boost::json::object object = protocol::to_json(parameters).as_object();
    auto opened = co_await client.open(std::string(Method::name), std::move(object));
    co_return opened;
}

/// A reply of a stream, and whether it is the last.
template <class Method>
struct Streamed {
    Streamed() = default;
    Streamed(typename Method::Reply value, bool is_last) : reply(std::move(value)), last(is_last) {}
    typename Method::Reply reply;
    bool last = false;
};

template <class Method>
boost::asio::awaitable<Result<Streamed<Method>>> next(
    Client& client, std::optional<std::chrono::milliseconds> deadline = std::nullopt) {
    auto reply = co_await client.next(deadline);
    if (!reply) {
        co_return reply.error();
    }
    auto typed = protocol::from_json<typename Method::Reply>(boost::json::value(std::move(reply->parameters)));
    if (!typed) {
        co_return typed.error();
    }
    co_return Streamed<Method>(std::move(*typed), !reply->continues);
}

/// The same for programs without a loop: each function blocks until its answer, or the deadline, has come.
class BlockingClient {
public:
    BlockingClient() : client_(std::make_unique<Client>(context_.get_executor())) {}

    Result<void> connect(const Address& address);
    Result<boost::json::object> call(const std::string& method, boost::json::object parameters,
                                     std::chrono::milliseconds deadline);
    Result<void> open(const std::string& method, boost::json::object parameters);
    Result<protocol::Reply> next(std::optional<std::chrono::milliseconds> deadline = std::nullopt);

    template <class Method>
    Result<typename Method::Reply> call(const typename Method::Parameters& parameters,
                                        std::chrono::milliseconds deadline = deadline_of(Method::name)) {
        auto reply = call(std::string(Method::name), protocol::to_json(parameters).as_object(), deadline);
        return reply ? protocol::from_json<typename Method::Reply>(boost::json::value(std::move(*reply)))
                     : Result<typename Method::Reply>(reply.error());
    }
    template <class Method>
    Result<void> open(const typename Method::Parameters& parameters) {
        return open(std::string(Method::name), protocol::to_json(parameters).as_object());
    }
    template <class Method>
    Result<Streamed<Method>> next(std::optional<std::chrono::milliseconds> deadline = std::nullopt) {
        auto reply = next(deadline);
        if (!reply) {
            return reply.error();
        }
        auto typed = protocol::from_json<typename Method::Reply>(boost::json::value(std::move(reply->parameters)));
        return typed ? Result(Streamed<Method>(std::move(*typed), !reply->continues))
                     : Result<Streamed<Method>>(typed.error());
    }

private:
    template <class T>
    Result<T> wait_for(boost::asio::awaitable<Result<T>> work);

    boost::asio::io_context context_{1};
    std::unique_ptr<Client> client_;
};

}  // namespace stillboot::client
