// SPDX-License-Identifier: Apache-2.0
// Time as a port, so that deadlines and countdowns can be tested without waiting.
#pragma once

#include <chrono>

namespace stillboot {

class Clock {
public:
    using Instant = std::chrono::steady_clock::time_point;
    virtual ~Clock() = default;
    [[nodiscard]] virtual Instant now() const = 0;
};

class SystemClock final : public Clock {
public:
    [[nodiscard]] Instant now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace stillboot
