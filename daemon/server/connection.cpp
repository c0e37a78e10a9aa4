// SPDX-License-Identifier: Apache-2.0
// Reading calls and writing replies, each within its bounds.
#include "daemon/server/connection.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <optional>

#include "config/base/planted_defect.hpp"
#include "daemon/loop/deadline.hpp"
#include "daemon/protocol/failure.hpp"
#include "daemon/protocol/service.hpp"

namespace stillboot::server {
namespace {

namespace asio = boost::asio;
constexpr auto use_result = asio::as_tuple(asio::use_awaitable);

std::shared_ptr<const std::string> framed(const protocol::Reply& reply) {
    return std::make_shared<const std::string>(protocol::encode(reply));
}

std::int64_t seconds(std::chrono::milliseconds time) {
    return std::chrono::ceil<std::chrono::seconds>(time).count();
}

std::uint64_t now_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

protocol::Call call_of_info() {
    protocol::Call call;
    call.method = protocol::get_info_name;
    return call;
}

// What a service says of itself never changes, and is the first thing that every client asks.
void answer_service(const protocol::Call& call, Replier& replier) {
    static const auto info = framed(protocol::answer_service(call_of_info()));
    if (call.method == protocol::get_info_name) {
        replier.reply_frame(info, false);
    } else {
        replier.reply(protocol::answer_service(call));
    }
}

// The replier of one call; the connection lives on while a handler keeps it.
class CallReplier final : public Replier {
public:
    CallReplier(std::shared_ptr<Connection> connection, std::uint64_t number)
        : connection_(std::move(connection)), number_(number) {}
    bool reply(const protocol::Reply& reply) override { return reply_frame(framed(reply), reply.continues); }
    bool reply_frame(std::shared_ptr<const std::string> frame, bool continues) override {
        return connection_->send(number_, std::move(frame), continues);
    }
    [[nodiscard]] bool open() const override { return connection_->is_open(); }
    [[nodiscard]] bool heard() const override { return connection_->has_gone_on_from(number_); }
    void set_locked(bool locked) override { connection_->set_locked(locked); }

private:
    std::shared_ptr<Connection> connection_;
    std::uint64_t number_;
};

}  // namespace

Connection::Connection(Socket socket, Peer peer, Handler& handler, const Limits& limits,
                       std::shared_ptr<std::size_t> unread)
    : socket_(std::move(socket)),
      peer_(std::move(peer)),
      handler_(handler),
      limits_(limits),
      reader_(limits.max_call_bytes),
      unread_(std::move(unread)),
      work_(socket_.get_executor()),
      since_ms_(now_ms()) {
    work_.expires_at(asio::steady_timer::time_point::max());
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);  // for write_at_once
}

void Connection::wake() {
    work_.cancel();
}

void Connection::close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
    clear_queue();
    reader_.clear();  // a handler may keep this object for long
    wake();
}

protocol::Client Connection::description() const {
    protocol::Client client;
    client.since_ms = since_ms_;
    client.peer = peer_.who().sentence();
    if (peer_.is_local()) {
        client.uid = peer_.uid;
        client.pid = peer_.pid;
    }
    if (in_call_) {
        client.method = method_;
    }
    client.queued_bytes = queued_bytes_;
    return client;
}

// Posted: the handler may be in the middle of a reply to all, and a line in its log is one more.
void Connection::tell(Message reason) {
    if (std::exchange(told_, true)) {
        return;
    }
    Message what("daemon.client_cut_off", {{"peer", peer_.who().sentence()}, {"reason", reason.sentence()}});
    asio::post(socket_.get_executor(), [self = shared_from_this(), what = std::move(what)] {
        self->handler_.on_trouble(self->peer_.key(), what);
    });
}

void Connection::close_for(Message reason) {
    tell(std::move(reason));
    close();
}

// What is being written does not count: a first reply may be longer than the queue, and a change right after it
// is no sign of a client that does not read.
std::size_t Connection::waiting_bytes() const {
    return queue_.empty() ? 0 : queued_bytes_ - queue_.front().frame->size();
}

// Hands out the frames that have come, one call at a time; false where the connection must end.
bool Connection::take_frames() {
    while (!in_call_ && is_open()) {
        const auto frame = reader_.next();
        if (!frame) {
            break;
        }
        start_call(*frame);
    }
    return is_open();
}

void Connection::start_call(std::string_view frame) {
    const auto call = protocol::decode_call(frame);
    if (!call) {
        // There is no error for a message that is no call, and no telling what the client meant by it.
        return close_for(call.error().message());
    }
    ++call_number_;
    method_ = call->method;
    in_call_ = true;
    oneway_ = call->oneway;
    auto replier = std::make_shared<CallReplier>(shared_from_this(), call_number_);
    if (protocol::is_service_call(*call)) {
        answer_service(*call, *replier);
        return;
    }
    handler_.on_call(*call, peer_, std::move(replier));
}

asio::awaitable<void> Connection::read_calls(std::shared_ptr<Connection> /*self*/) {
    std::array<char, 4096> chunk;
    std::optional<Deadline> deadline;
    std::uint64_t deadline_call = 0;
    while (take_frames()) {
        if (in_call_ && reader_.has_frame()) {
            boost::system::error_code woken;
            reader_waits_ = true;
            co_await work_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
            reader_waits_ = false;
            continue;
        }
        if (!reader_.in_frame() || deadline_call != call_number_) {
            deadline.reset();
        }
        if (reader_.in_frame() && !deadline) {
            deadline.emplace(socket_.get_executor(), limits_.frame_deadline, [this] {
                close_for(Message("daemon.cut_half", {{"seconds", seconds(limits_.frame_deadline)}}));
            });
            deadline_call = call_number_;
        }
        auto [failure, count] = co_await socket_.async_read_some(asio::buffer(chunk), use_result);
        if (failure) {
            break;
        }
        if (const auto fed = reader_.feed({chunk.data(), count}); !fed) {
            tell(fed.error().message());
            break;
        }
    }
    if (!cut_off_) {
        close();
    }
}

asio::awaitable<void> Connection::write_replies(std::shared_ptr<Connection> /*self*/) {
    while (socket_.is_open()) {
        if (queue_.empty()) {
            if (cut_off_) {
                break;
            }
            boost::system::error_code woken;
            co_await work_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
            continue;
        }
        const auto frame = queue_.front().frame;
        while (written_ < frame->size()) {
            const Deadline deadline(socket_.get_executor(), limits_.write_deadline, [this] {
                close_for(Message("daemon.cut_deaf", {{"seconds", seconds(limits_.write_deadline)}}));
            });
            const auto rest = asio::buffer(*frame) + written_;
            auto [failure, count] = co_await socket_.async_write_some(rest, use_result);
            if (failure) {
                close();
                co_return;
            }
            written_ += count;
        }
        if (!queue_.empty()) {
            forget(queue_.front());
            queue_.pop_front();
            written_ = 0;
        }
    }
    close();
}

// What the socket takes without waiting needs neither the queue nor the writer. False where the client is gone.
bool Connection::write_at_once(const std::string& frame, std::size_t& written) {
    boost::system::error_code failure;
    written = socket_.write_some(asio::buffer(frame), failure);
    return !failure || failure == asio::error::would_block;
}

void Connection::push(std::shared_ptr<const std::string> frame, bool alone) {
    queued_bytes_ += frame->size();
    *unread_ += alone ? frame->size() : 0;
    queue_.push_back({std::move(frame), alone});
}

void Connection::forget(const Queued& queued) {
    queued_bytes_ -= queued.frame->size();
    *unread_ -= queued.alone ? queued.frame->size() : 0;
}

void Connection::clear_queue() {
    for (const auto& each : queue_) {
        forget(each);
    }
    queue_.clear();
}

bool Connection::send(std::uint64_t call_number, std::shared_ptr<const std::string> frame, bool continues) {
    if (!is_open() || !in_call_ || (call_number != call_number_ && !planted_defect)) {
        return false;
    }
    in_call_ = continues;
    const bool alone = frame.use_count() == 1;
    if (oneway_) {
        wake();
        return true;
    }
    if (!queue_.empty() && waiting_bytes() + frame->size() > limits_.max_queued_bytes) {
        cut_off();
        return false;
    }
    if (queue_.empty()) {
        if (!write_at_once(*frame, written_)) {
            close();
            return false;
        }
        if (written_ == frame->size()) {
            written_ = 0;
            if (reader_waits_) {
                wake();
            }
            return true;
        }
    }
    const std::size_t most = peer_.is_root() ? 2 * limits_.max_unread_bytes : limits_.max_unread_bytes;
    if (alone && *unread_ + frame->size() > most) {
        // Without last words: a part of the reply may be out, and the rest is what there is no room for.
        close_for(Message("daemon.cut_full", {{"bytes", std::int64_t(most)}}));
        return false;
    }
    push(std::move(frame), alone);
    wake();
    return true;
}

// What is being written must be finished, or the last words would land in the middle of a message.
void Connection::cut_off() {
    tell(Message("daemon.cut_slow", {{"bytes", std::int64_t(queued_bytes_)}}));
    cut_off_ = true;
    while (queue_.size() > 1) {
        forget(queue_.back());
        queue_.pop_back();
    }
    push(framed(protocol::too_slow()), true);
    wake();
}

}  // namespace stillboot::server
