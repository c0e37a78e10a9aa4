// SPDX-License-Identifier: Apache-2.0
// A bound on the time of an operation on the loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <utility>

namespace stillboot {

/// Runs `cancel` once the time is over, unless it is destroyed before. Thread: the loop's alone.
/// Its state is shared with the timer's handler, since a handler that is already queued runs after the timer, and
/// whatever it refers to, may be gone.
class Deadline {
public:
    template <class Cancel>
    Deadline(const boost::asio::any_io_executor& executor, std::chrono::milliseconds time, Cancel cancel)
        : state_(std::make_shared<State>(executor)) {
        state_->timer.expires_after(time);
        state_->timer.async_wait([state = state_, cancel = std::move(cancel)](boost::system::error_code failure) {
            if (!failure && !state->over) {
                state->expired = true;
                cancel();
            }
        });
    }
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;
    ~Deadline() {
        state_->over = true;
        state_->timer.cancel();
    }

    [[nodiscard]] bool expired() const { return state_->expired; }

private:
    struct State {
        explicit State(const boost::asio::any_io_executor& executor) : timer(executor) {}
        boost::asio::steady_timer timer;
        bool over = false;
        bool expired = false;
    };
    std::shared_ptr<State> state_;
};

}  // namespace stillboot
