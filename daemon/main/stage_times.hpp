// SPDX-License-Identifier: Apache-2.0
// When the daemon had come how far, from its start to the last step of a hand-over.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/clock.hpp"
#include "daemon/protocol/methods.hpp"

namespace stillboot {

/// Stages in the order in which they were reached: those of the start each once, and those of the last hand-over.
/// No clock of its own: whoever tells brings the time. Thread: the loop's alone.
class StageTimes {
public:
    using Instant = Clock::Instant;

    /// @param since_boot  how long the kernel had been running at `start`
    StageTimes(Instant start, std::chrono::milliseconds since_boot) : start_(start), since_boot_(since_boot) {}

    /// A stage of the start: the first time counts.
    void reach(std::string_view stage, Instant now);
    /// A hand-over begins: the one before is forgotten.
    void begin_handover(Instant now);
    /// A step of the hand-over: the first time in it counts.
    void reach_step(std::string_view step, Instant now);

    [[nodiscard]] protocol::GetTimes::Reply reply() const;

private:
    void add(std::vector<protocol::Stage>& stages, std::string_view name, Instant now) const;

    Instant start_;
    std::chrono::milliseconds since_boot_;
    std::vector<protocol::Stage> start_stages_;
    std::vector<protocol::Stage> handover_;
};

/// How long the kernel has been running (CLOCK_BOOTTIME, as /proc/uptime has it).
[[nodiscard]] std::chrono::milliseconds time_since_boot();

}  // namespace stillboot
