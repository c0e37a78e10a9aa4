// SPDX-License-Identifier: Apache-2.0
#include "daemon/loop/throttle.hpp"

#include <doctest/doctest.h>

using namespace stillboot;
using namespace std::chrono_literals;

TEST_SUITE("loop") {
    TEST_CASE("a few lines of each key pass in a window, and the next one says how many were dropped") {
        Throttle throttle(2, 1s);
        const Throttle::Instant start{};
        CHECK(throttle.admit("a", start) == 0);
        CHECK(throttle.admit("a", start) == 0);
        CHECK_FALSE(throttle.admit("a", start));
        CHECK_FALSE(throttle.admit("a", start + 999ms));
        CHECK(throttle.admit("b", start + 999ms) == 0);
        CHECK(throttle.admit("a", start + 1s) == 2);
        CHECK(throttle.admit("a", start + 1s) == 0);
        CHECK_FALSE(throttle.admit("a", start + 1s));
        CHECK(throttle.admit("b", start + 5s) == 0);
    }

    TEST_CASE("many names share what is left, until the old ones are over") {
        Throttle throttle(1, 1s);
        const Throttle::Instant start{};
        std::size_t passed = 0;
        for (int i = 0; i < 1000; ++i) {
            passed += throttle.admit("name " + std::to_string(i), start) ? 1 : 0;
        }
        CHECK(passed == Throttle::max_keys + 1);
        CHECK(throttle.admit("new", start + 1s) == 0);
    }
}
