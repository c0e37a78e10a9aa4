// SPDX-License-Identifier: Apache-2.0
// The last boots that were tried, each with how it ended.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kexec/handover/handover.hpp"

namespace stillboot::handover {

struct PastAttempt {
    enum class End {
        under_way,
        jumped,     ///< nothing is known of it since
        failed,     ///< all is back as it was
        cancelled,  ///< the same, because somebody wanted it
        cut_off,    ///< the program was ended in the middle, and one after it put everything back
        went_down,  ///< the machine did, before the jump
        restarted,  ///< the machine was, to try again with a driver left alone
        watchdog,   ///< it jumped, and a watchdog restarted the machine
    };

    std::string option_id;
    std::string title;
    std::int64_t when = 0;  ///< seconds since 1970, as far as the clock is right
    std::string by;         ///< who or what wanted it booted, in words
    End end = End::under_way;
    std::string step;      ///< at which it ended; empty where that says nothing
    std::string reason;    ///< in words, where there is one
    bool counted = false;  ///< its entry counts tries

    bool operator==(const PastAttempt&) const = default;
};

/// "jumped", "went_down", … Lifetime: static.
[[nodiscard]] std::string_view to_word(PastAttempt::End end);

/// The newest first, this many of them; texts are cut to what a store has room for.
using PastAttempts = std::vector<PastAttempt>;
constexpr std::size_t max_past_attempts = 16;

/// One that begins now: under way.
[[nodiscard]] PastAttempt attempt_of(const Request& request);

/// Puts it before the others.
void remember(PastAttempts& attempts, PastAttempt attempt);

/// How the newest one ended; it keeps when it began and who wanted it. One that is not there as under way is put
/// before the others, but for one that is known to have ended already.
void settle(PastAttempts& attempts, PastAttempt ended);

}  // namespace stillboot::handover
