// SPDX-License-Identifier: Apache-2.0
// One client of the server.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <string>

#include "daemon/loop/stream.hpp"
#include "daemon/server/server.hpp"

namespace stillboot::server {

/// Reads calls one after the other, hands each to the handler, and writes replies from a bounded queue. While a
/// call is being answered further calls wait in the socket. Kept alive by its own coroutines and its repliers.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(const boost::asio::any_io_executor& executor, std::unique_ptr<Stream> stream, Peer peer,
               Handler& handler, const Limits& limits);

    /// Reads until the client goes or breaks a rule.
    boost::asio::awaitable<void> read_calls();
    /// Writes what is queued until the connection is closed.
    boost::asio::awaitable<void> write_replies();
    void close();
    [[nodiscard]] bool is_open() const { return stream_->is_open() && !cut_off_; }
    /// True while it still costs a descriptor, though it may be cut off already.
    [[nodiscard]] bool holds_socket() const { return stream_->is_open(); }
    [[nodiscard]] const Peer& peer() const { return peer_; }

    /// Queues a frame of the call with this number. False where the connection or the call is over.
    bool send(std::uint64_t call_number, std::shared_ptr<const std::string> frame, bool continues);

private:
    bool take_frames();
    void start_call(std::string_view frame);
    void cut_off();
    void wake();

    const boost::asio::any_io_executor executor_;
    const std::unique_ptr<Stream> stream_;
    Peer peer_;
    Handler& handler_;
    const Limits limits_;
    protocol::FrameReader reader_;
    std::deque<std::shared_ptr<const std::string>> queue_;
    std::size_t queued_bytes_ = 0;
    boost::asio::steady_timer work_;  // cancelled to wake the writer, or the reader that waits for a call's end
    std::uint64_t call_number_ = 0;
    bool in_call_ = false;
    bool oneway_ = false;
    bool cut_off_ = false;  // nothing more is queued; closed when the queue is written
};

}  // namespace stillboot::server
