// SPDX-License-Identifier: Apache-2.0
// How often a password may be tried.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

namespace stillboot::password {

/// A few wrong ones are free; after each further one the next has to wait, twice as long each time. Counted for
/// each source. All of them together have a larger allowance, and past it one try a second, so that many names
/// gain little and nobody keeps another out for longer than that. Right or quiet for long, a count is forgotten.
/// No clock of its own: whoever asks brings the time.
class Attempts {
public:
    using Instant = std::chrono::steady_clock::time_point;
    static constexpr unsigned free_of_one = 3;
    static constexpr unsigned free_of_all = 10;
    static constexpr std::chrono::seconds first_wait{1};
    static constexpr std::chrono::seconds longest_wait{60};
    static constexpr std::chrono::minutes forgotten_after{10};
    static constexpr std::size_t max_sources = 64;  ///< those past it share one count

    /// How long no try of this source is looked at; zero: it may come now.
    [[nodiscard]] std::chrono::milliseconds wait(const std::string& source, Instant now);
    /// One was wrong. The value is the wait that begins now.
    std::chrono::milliseconds wrong(const std::string& source, Instant now);
    void right(const std::string& source);

private:
    struct Count {
        unsigned wrong = 0;
        Instant next{};  ///< the first moment of the next try
    };
    Count& count_of(const std::string& source, Instant now);

    std::map<std::string, Count> sources_;
    Count all_;
};

}  // namespace stillboot::password
