// SPDX-License-Identifier: Apache-2.0
// Ctrl-C in the middle of a hand-over asks it to stop and to put everything back.
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace stillboot::cli {

/// From here to its end SIGINT, SIGTERM and SIGHUP (a terminal that is closed) ask for a stop instead of ending
/// the process, and SIGPIPE does nothing: a process that ends by a signal leaves its devices unbound. Made before
/// other threads are, so that none of them takes a signal.
class StopSignals {
public:
    enum class Hangup { stops, is_ignored };

    explicit StopSignals(Hangup hangup);
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;
    [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

private:
    sigset_t awaited_{};
    sigset_t before_{};
    std::stop_source stop_;
    std::jthread waiter_;
};

}  // namespace stillboot::cli
