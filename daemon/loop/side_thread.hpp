// SPDX-License-Identifier: Apache-2.0
// Work that blocks, beside the loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

namespace stillboot {

/// Calls `tell` on the loop, whatever thread it is called from. Lifetime: what it is told is copied.
template <class T>
[[nodiscard]] std::function<void(const T&)> on_loop(boost::asio::any_io_executor loop,
                                                    std::function<void(const T&)> tell) {
    return [loop = std::move(loop), tell = std::move(tell)](const T& what) {
        boost::asio::post(loop, [tell, what] { tell(what); });
    };
}

/// One piece of work at a time on a thread of its own. Thread: the loop's alone. Lifetime: the loop outlives it.
class SideThread {
public:
    explicit SideThread(boost::asio::any_io_executor loop) : loop_(std::move(loop)) {}
    /// Waits for the work, whose end nobody is told then.
    ~SideThread() {
        alive_.reset();
        join();
    }
    SideThread(const SideThread&) = delete;
    SideThread& operator=(const SideThread&) = delete;

    /// Calls work() there, and done(what it returned) on the loop, where it is not busy any more.
    template <class Work, class Done>
    void start(Work work, Done done) {
        join();
        thread_ = std::jthread([this, loop = loop_, alive = std::weak_ptr<void>(alive_), work = std::move(work),
                                done = std::move(done)]() mutable {
            boost::asio::post(loop, [this, alive, done = std::move(done), result = work()]() mutable {
                if (!alive.expired()) {
                    join();
                    done(std::move(result));
                }
            });
        });
    }
    [[nodiscard]] bool busy() const { return thread_.joinable(); }

private:
    void join() {
        if (thread_.joinable()) {
            thread_.join();
        }
    }

    boost::asio::any_io_executor loop_;
    std::shared_ptr<void> alive_ = std::make_shared<char>();
    std::jthread thread_;
};

}  // namespace stillboot
