// SPDX-License-Identifier: Apache-2.0
// A queue of points, and one thread at a time.
#include "daemon/handover/side_hooks.hpp"

#include <boost/asio/post.hpp>
#include <deque>
#include <thread>
#include <utility>

namespace stillboot::handover {

class SideHooks::Impl : public std::enable_shared_from_this<Impl> {
public:
    Impl(boost::asio::any_io_executor loop, const Root& root, Hooks::Say say)
        : loop_(std::move(loop)), root_(root), say_(std::move(say)) {}

    void run(HookPoint point, HookSubject subject, std::chrono::milliseconds deadline) {
        if (waiting_.size() == max_waiting) {
            return say_(Message("daemon.hooks_left_out", {{"point", to_word(point)}}));
        }
        waiting_.push_back({point, std::move(subject), deadline});
        if (!busy()) {
            next();
        }
    }
    void stop() {
        waiting_.clear();
        stop_.request_stop();
    }
    [[nodiscard]] bool busy() const { return thread_.joinable(); }
    void join() {
        if (thread_.joinable()) {
            thread_.join();
        }
    }

private:
    struct Wanted {
        HookPoint point;
        HookSubject subject;
        std::chrono::milliseconds deadline;
    };

    void next() {
        if (waiting_.empty()) {
            return;
        }
        Wanted wanted = std::move(waiting_.front());
        waiting_.pop_front();
        if (SystemHooks(root_, wanted.deadline).names(wanted.point).empty()) {
            return next();
        }
        stop_ = std::stop_source();
        thread_ = std::jthread([this, self = weak_from_this(), wanted = std::move(wanted),
                                stop = stop_.get_token()] {
            const auto say = [&](const Message& line) {
                boost::asio::post(loop_, [say = say_, line] { say(line); });
            };
            (void)SystemHooks(root_, wanted.deadline).run(wanted.point, wanted.subject, say, stop);  // it said why
            boost::asio::post(loop_, [self] {
                if (const auto alive = self.lock()) {
                    alive->join();
                    alive->next();
                }
            });
        });
    }

    boost::asio::any_io_executor loop_;
    const Root& root_;
    Hooks::Say say_;
    std::deque<Wanted> waiting_;
    std::stop_source stop_;
    std::jthread thread_;
};

SideHooks::SideHooks(boost::asio::any_io_executor loop, const Root& root, Hooks::Say say)
    : impl_(std::make_shared<Impl>(std::move(loop), root, std::move(say))) {}

SideHooks::~SideHooks() {
    impl_->stop();
    impl_->join();
}

void SideHooks::run(HookPoint point, HookSubject subject, std::chrono::milliseconds deadline) {
    impl_->run(point, std::move(subject), deadline);
}
void SideHooks::stop() {
    impl_->stop();
}
bool SideHooks::busy() const {
    return impl_->busy();
}

}  // namespace stillboot::handover
