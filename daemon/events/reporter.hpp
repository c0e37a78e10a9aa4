// SPDX-License-Identifier: Apache-2.0
// Telling events to every place, none of which can hold up the daemon or another place.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/events/event.hpp"
#include "daemon/events/sink.hpp"

namespace stillboot::events {

/// A place with a name for messages.
struct Place {
    std::string name;
    std::unique_ptr<Sink> sink;
};

/// Each place has a thread and a queue of its own. What cannot be told yet is tried again every `retry_pause`; of
/// more than max_waiting lines the oldest are forgotten, and that is said once told. Thread: any.
class Reporter {
public:
    static constexpr std::size_t max_waiting = 256;
    /// Called on the places' threads: of a place that begins to fail, and of lines that were forgotten.
    using Say = std::function<void(const Message&)>;

    Reporter(std::vector<Place> places, Origin origin, Say say,
             std::chrono::milliseconds retry_pause = std::chrono::seconds(5));
    /// Waits a second at most for each place; one that is stuck is left behind with what it needs.
    ~Reporter();

    void tell(const Event& event);
    /// Returns when each place has taken and kept all, or has failed to once more, at the latest after the
    /// deadline.
    void flush(std::chrono::milliseconds deadline);

    class Worker;

private:
    std::mutex mutex_;
    Origin origin_;
    std::uint64_t seq_ = 0;
    std::vector<std::shared_ptr<Worker>> workers_;
};

}  // namespace stillboot::events
