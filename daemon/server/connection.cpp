// SPDX-License-Identifier: Apache-2.0
// Reading calls and writing replies, each within its bounds.
#include "daemon/server/connection.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "daemon/loop/deadline.hpp"
#include "daemon/protocol/failure.hpp"
#include "daemon/protocol/service.hpp"

namespace stillboot::server {
namespace {

namespace asio = boost::asio;

std::shared_ptr<const std::string> framed(const protocol::Reply& reply) {
    return std::make_shared<const std::string>(protocol::encode(reply));
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

private:
    std::shared_ptr<Connection> connection_;
    std::uint64_t number_;
};

}  // namespace

Connection::Connection(const asio::any_io_executor& executor, std::unique_ptr<Stream> stream, Peer peer,
                       Handler& handler, const Limits& limits)
    : executor_(executor),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      handler_(handler),
      limits_(limits),
      reader_(limits.max_call_bytes),
      work_(executor) {
    work_.expires_at(asio::steady_timer::time_point::max());
}

void Connection::wake() {
    work_.cancel();
}

void Connection::close() {
    stream_->close();
    queue_.clear();
    queued_bytes_ = 0;
    wake();
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
        return close();
    }
    ++call_number_;
    in_call_ = true;
    oneway_ = call->oneway;
    auto replier = std::make_shared<CallReplier>(shared_from_this(), call_number_);
    if (protocol::is_service_call(*call)) {
        replier->reply(protocol::answer_service(*call));
        return;
    }
    handler_.on_call(*call, peer_, std::move(replier));
}

asio::awaitable<void> Connection::read_calls() {
    const auto self = shared_from_this();
    std::array<char, 4096> chunk;
    std::optional<Deadline> deadline;
    std::uint64_t deadline_call = 0;
    while (take_frames()) {
        if (in_call_ && reader_.has_frame()) {
            boost::system::error_code woken;
            co_await work_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
            continue;
        }
        if (!reader_.in_frame() || deadline_call != call_number_) {
            deadline.reset();
        }
        if (reader_.in_frame() && !deadline) {
            deadline.emplace(executor_, limits_.frame_deadline, [this] { close(); });
            deadline_call = call_number_;
        }
        const auto room = asio::buffer(chunk);
        auto [failure, count] = co_await stream_->read_some(room);
        if (failure || !reader_.feed({chunk.data(), count})) {
            break;
        }
    }
    if (!cut_off_) {
        close();
    }
}

asio::awaitable<void> Connection::write_replies() {
    const auto self = shared_from_this();
    while (stream_->is_open()) {
        if (queue_.empty()) {
            if (cut_off_) {
                break;
            }
            boost::system::error_code woken;
            co_await work_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
            continue;
        }
        const auto frame = queue_.front();
        std::size_t written = 0;
        while (written < frame->size()) {
            const Deadline deadline(executor_, limits_.write_deadline, [this] { close(); });
            const auto rest = asio::buffer(*frame) + written;
            auto [failure, count] = co_await stream_->write_some(rest);
            if (failure) {
                close();
                co_return;
            }
            written += count;
        }
        if (!queue_.empty()) {
            queued_bytes_ -= frame->size();
            queue_.pop_front();
        }
    }
    close();
}

bool Connection::send(std::uint64_t call_number, std::shared_ptr<const std::string> frame, bool continues) {
    if (!is_open() || !in_call_ || call_number != call_number_) {
        return false;
    }
    in_call_ = continues;
    if (oneway_) {
        wake();
        return true;
    }
    if (!queue_.empty() && queued_bytes_ + frame->size() > limits_.max_queued_bytes) {
        cut_off();
        return false;
    }
    queued_bytes_ += frame->size();
    queue_.push_back(std::move(frame));
    wake();
    return true;
}

// What is being written must be finished, or the last words would land in the middle of a message.
void Connection::cut_off() {
    cut_off_ = true;
    queue_.resize(1);
    queued_bytes_ = queue_.front()->size();
    auto last_words = framed(protocol::too_slow());
    queued_bytes_ += last_words->size();
    queue_.push_back(std::move(last_words));
    wake();
}

}  // namespace stillboot::server
