// SPDX-License-Identifier: Apache-2.0
// A bound on what one source of trouble may write to the log.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace stillboot {

/// Lets `burst` lines of each key through in each `window`, and counts the others. Keys past max_keys share one,
/// so that a peer with many names gains nothing. No clock of its own: whoever asks brings the time.
class Throttle {
public:
    using Instant = std::chrono::steady_clock::time_point;
    static constexpr std::size_t max_keys = 64;

    Throttle(unsigned burst, std::chrono::milliseconds window) : burst_(burst), window_(window) {}

    /// Nothing where this line is one too many; otherwise how many were dropped in the window before.
    [[nodiscard]] std::optional<std::uint64_t> admit(const std::string& key, Instant now);

private:
    struct Count {
        Instant since;
        std::uint64_t seen = 0;
    };
    Count& count_of(const std::string& key, Instant now);

    unsigned burst_;
    std::chrono::milliseconds window_;
    std::map<std::string, Count> counts_;
};

}  // namespace stillboot
