// SPDX-License-Identifier: Apache-2.0
// A queue of points.
#include "daemon/handover/side_hooks.hpp"

#include <utility>

namespace stillboot::handover {

SideHooks::SideHooks(boost::asio::any_io_executor loop, const Root& root, Hooks::Say say)
    : loop_(loop), root_(root), say_(std::move(say)), thread_(std::move(loop)) {}

SideHooks::~SideHooks() {
    stop();
}

void SideHooks::run(HookPoint point, HookSubject subject, std::chrono::milliseconds deadline) {
    if (waiting_.size() == max_waiting) {
        return say_(Message("daemon.hooks_left_out", {{"point", to_word(point)}}));
    }
    waiting_.push_back({point, std::move(subject), deadline});
    if (!busy()) {
        next();
    }
}

void SideHooks::stop() {
    waiting_.clear();
    stop_.request_stop();
}

void SideHooks::next() {
    if (waiting_.empty()) {
        return;
    }
    Wanted wanted = std::move(waiting_.front());
    waiting_.pop_front();
    SystemHooks hooks(root_, wanted.deadline);
    if (hooks.names(wanted.point).empty()) {
        return next();
    }
    stop_ = std::stop_source();
    thread_.start(
        [hooks, wanted = std::move(wanted), say = on_loop(loop_, say_), stop = stop_.get_token()]() mutable {
            return hooks.run(wanted.point, wanted.subject, say, stop);
        },
        [this](const Result<void>&) { next(); });  // it said why
}

}  // namespace stillboot::handover
