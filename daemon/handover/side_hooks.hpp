// SPDX-License-Identifier: Apache-2.0
// Hooks that can change nothing: they run beside the loop, and nothing waits for them but the next hand-over.
#pragma once

#include <chrono>
#include <deque>
#include <stop_token>

#include "daemon/loop/side_thread.hpp"
#include "kexec/handover/hooks.hpp"

namespace stillboot::handover {

/// Runs what is asked for in that order, one point at a time. Thread: the loop's alone. Lifetime: the root and the
/// loop outlive it.
class SideHooks {
public:
    static constexpr std::size_t max_waiting = 8;

    /// @param say  called on the loop with what hooks print, and with what went wrong
    SideHooks(boost::asio::any_io_executor loop, const Root& root, Hooks::Say say);
    /// Kills those that run.
    ~SideHooks();

    /// @param deadline  of each hook. What is one too many is left out, and said.
    void run(HookPoint point, HookSubject subject, std::chrono::milliseconds deadline);
    /// Kills those that run, and forgets those that wait.
    void stop();
    /// Whether any runs.
    [[nodiscard]] bool busy() const { return thread_.busy(); }

private:
    struct Wanted {
        HookPoint point;
        HookSubject subject;
        std::chrono::milliseconds deadline;
    };

    void next();

    boost::asio::any_io_executor loop_;
    const Root& root_;
    Hooks::Say say_;
    std::deque<Wanted> waiting_;
    std::stop_source stop_;
    SideThread thread_;
};

}  // namespace stillboot::handover
