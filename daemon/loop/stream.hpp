// SPDX-License-Identifier: Apache-2.0
// A connection's bytes, whatever carries them: what reads and writes messages knows no more than this.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <tuple>
#include <utility>

namespace stillboot {

/// How many bytes went, and why no more did.
using Transferred = std::tuple<boost::system::error_code, std::size_t>;

/// One read and one write may wait at the same time. Thread: the loop's alone.
/// Lifetime: outlives what it is asked for; close() ends that.
class Stream {
public:
    virtual ~Stream() = default;
    virtual boost::asio::awaitable<Transferred> read_some(boost::asio::mutable_buffer into) = 0;
    virtual boost::asio::awaitable<Transferred> write_some(boost::asio::const_buffer from) = 0;
    virtual void close() = 0;
    [[nodiscard]] virtual bool is_open() const = 0;
};

/// Over any of Asio's stream sockets, also one inside TLS.
template <class Socket>
class SocketStream final : public Stream {
public:
    explicit SocketStream(Socket socket) : socket_(std::move(socket)) {}
    // Asio's own awaitable is handed on: no frame more than a call of the socket itself would take.
    boost::asio::awaitable<Transferred> read_some(boost::asio::mutable_buffer into) override {
        return socket_.async_read_some(into, boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    boost::asio::awaitable<Transferred> write_some(boost::asio::const_buffer from) override {
        return socket_.async_write_some(from, boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    void close() override {
        boost::system::error_code ignored;
        socket_.lowest_layer().close(ignored);
    }
    [[nodiscard]] bool is_open() const override { return socket_.lowest_layer().is_open(); }

private:
    Socket socket_;
};

}  // namespace stillboot
