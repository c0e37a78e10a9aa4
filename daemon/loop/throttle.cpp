// SPDX-License-Identifier: Apache-2.0
// Counting what is logged.
#include "daemon/loop/throttle.hpp"

namespace stillboot {

Throttle::Count& Throttle::count_of(const std::string& key, Instant now) {
    if (counts_.count(key) == 0 && counts_.size() >= max_keys) {
        std::erase_if(counts_, [&](const auto& each) { return now - each.second.since >= window_; });
    }
    const bool room = counts_.count(key) != 0 || counts_.size() < max_keys;
    return counts_.try_emplace(room ? key : "", Count{now, 0}).first->second;
}

std::optional<std::uint64_t> Throttle::admit(const std::string& key, Instant now) {
    Count& count = count_of(key, now);
    std::uint64_t dropped = 0;
    if (now - count.since >= window_) {
        dropped = count.seen > burst_ ? count.seen - burst_ : 0;
        count = Count{now, 0};
    }
    return ++count.seen > burst_ ? std::nullopt : std::optional(dropped);
}

}  // namespace stillboot
