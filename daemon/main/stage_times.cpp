// SPDX-License-Identifier: Apache-2.0
// Keeping the times of stages.
#include "daemon/main/stage_times.hpp"

#include <time.h>

#include <algorithm>

namespace stillboot {

void StageTimes::add(std::vector<protocol::Stage>& stages, std::string_view name, Instant now) const {
    const bool known =
        std::any_of(stages.begin(), stages.end(), [&](const auto& stage) { return stage.name == name; });
    if (!known) {
        const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now - start_).count();
        stages.push_back({std::string(name), static_cast<std::uint64_t>(std::max<std::int64_t>(since, 0))});
    }
}

void StageTimes::reach(std::string_view stage, Instant now) {
    add(start_stages_, stage, now);
}

void StageTimes::begin_handover(Instant now) {
    handover_.clear();
    add(handover_, "handover", now);
}

void StageTimes::reach_step(std::string_view step, Instant now) {
    add(handover_, step, now);
}

protocol::GetTimes::Reply StageTimes::reply() const {
    protocol::GetTimes::Reply reply;
    reply.boot_ms = static_cast<std::uint64_t>(since_boot_.count());
    reply.stages = start_stages_;
    reply.stages.insert(reply.stages.end(), handover_.begin(), handover_.end());
    std::stable_sort(reply.stages.begin(), reply.stages.end(),
                     [](const auto& a, const auto& b) { return a.at_ms < b.at_ms; });
    return reply;
}

std::chrono::milliseconds time_since_boot() {
    struct timespec now = {};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::seconds(now.tv_sec) +
                                                                 std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace stillboot
