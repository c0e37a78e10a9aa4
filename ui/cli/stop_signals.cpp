// SPDX-License-Identifier: Apache-2.0
// A thread that waits for them: a handler may not ask for a stop itself.
#include "ui/cli/stop_signals.hpp"

#include <ctime>

namespace stillboot::cli {
namespace {

constexpr timespec look_again{0, 200'000'000};  // how long its end may wait for the thread

}  // namespace

StopSignals::StopSignals(Hangup hangup) {
    std::signal(SIGPIPE, SIG_IGN);
    ::sigemptyset(&awaited_);
    ::sigaddset(&awaited_, SIGINT);
    ::sigaddset(&awaited_, SIGTERM);
    if (hangup == Hangup::stops) {
        ::sigaddset(&awaited_, SIGHUP);
    } else {
        std::signal(SIGHUP, SIG_IGN);
    }
    ::pthread_sigmask(SIG_BLOCK, &awaited_, &before_);
    waiter_ = std::jthread([this](const std::stop_token& ended) {
        while (!ended.stop_requested()) {
            if (::sigtimedwait(&awaited_, nullptr, &look_again) > 0) {
                stop_.request_stop();
            }
        }
    });
}

StopSignals::~StopSignals() {
    waiter_.request_stop();
    waiter_.join();
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace stillboot::cli
