// SPDX-License-Identifier: Apache-2.0
// One client of the server.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <string>

#include "daemon/server/server.hpp"

namespace stillboot::server {

/// Reads calls one after the other, hands each to the handler, and writes replies from a bounded queue. While a
/// call is being answered further calls wait in the socket. Kept alive by its own coroutines and its repliers.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    using Socket = boost::asio::local::stream_protocol::socket;

    /// @param unread  what waits in the queues of all connections and was made for one client alone, in bytes
    Connection(Socket socket, Peer peer, Handler& handler, const Limits& limits,
               std::shared_ptr<std::size_t> unread);
    ~Connection() { clear_queue(); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Reads until the client goes or breaks a rule. @param self  itself, from before the first step on
    boost::asio::awaitable<void> read_calls(std::shared_ptr<Connection> self);
    /// Writes what is queued until the connection is closed.
    boost::asio::awaitable<void> write_replies(std::shared_ptr<Connection> self);
    void close();
    [[nodiscard]] bool is_open() const { return socket_.is_open() && !cut_off_; }
    /// True while it still costs a descriptor, though it may be cut off already.
    [[nodiscard]] bool holds_socket() const { return socket_.is_open(); }
    [[nodiscard]] const Peer& peer() const { return peer_; }
    /// True once it makes another call than this one, or none any more.
    [[nodiscard]] bool has_gone_on_from(std::uint64_t call_number) const {
        return !is_open() || call_number != call_number_;
    }
    void set_locked(bool locked) { peer_.locked = locked; }
    /// As ListClients tells it.
    [[nodiscard]] protocol::Client description() const;

    /// Queues a frame of the call with this number. False where the connection or the call is over.
    bool send(std::uint64_t call_number, std::shared_ptr<const std::string> frame, bool continues);

private:
    struct Queued {
        std::shared_ptr<const std::string> frame;
        bool alone = false;  // counts in unread_
    };

    bool take_frames();
    void start_call(std::string_view frame);
    bool write_at_once(const std::string& frame, std::size_t& written);
    void push(std::shared_ptr<const std::string> frame, bool alone);
    void forget(const Queued& queued);
    void clear_queue();
    void cut_off();
    /// Tells the handler why this client is cut off, once, and not from within a reply to it.
    void tell(Message reason);
    void close_for(Message reason);
    [[nodiscard]] std::size_t waiting_bytes() const;
    void wake();

    Socket socket_;
    Peer peer_;
    Handler& handler_;
    const Limits limits_;
    protocol::FrameReader reader_;
    std::shared_ptr<std::size_t> unread_;
    std::deque<Queued> queue_;
    std::size_t queued_bytes_ = 0;
    std::size_t written_ = 0;         // bytes of the first in the queue that are out already
    boost::asio::steady_timer work_;  // cancelled to wake the writer, or the reader that waits for a call's end
    std::uint64_t call_number_ = 0;
    std::string method_;  // of the call that is being answered
    std::uint64_t since_ms_ = 0;
    bool told_ = false;
    bool reader_waits_ = false;  // for the end of a call, with the next one here already
    bool in_call_ = false;
    bool oneway_ = false;
    bool cut_off_ = false;  // nothing more is queued; closed when the queue is written
};

}  // namespace stillboot::server
