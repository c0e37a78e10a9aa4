// SPDX-License-Identifier: Apache-2.0
// A call that may hang in the kernel or in firmware, with a deadline.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <optional>
#include <thread>

namespace stillboot {

/// Runs work on a thread of its own and waits for it. Empty where it took longer: the thread is left behind, so
/// the work must own all that it touches. Blocking: until the deadline at most. Thread: any.
template <class T>
[[nodiscard]] std::optional<T> call_within(std::chrono::milliseconds deadline, std::function<T()> work) {
    std::packaged_task<T()> task(std::move(work));
    auto outcome = task.get_future();
    std::thread(std::move(task)).detach();
    if (outcome.wait_for(deadline) != std::future_status::ready) {
        return std::nullopt;
    }
    return outcome.get();
}

}  // namespace stillboot
