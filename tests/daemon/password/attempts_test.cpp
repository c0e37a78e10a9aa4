// SPDX-License-Identifier: Apache-2.0
#include "daemon/password/attempts.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using stillboot::password::Attempts;

TEST_SUITE("password") {
    TEST_CASE("after three wrong ones each further one waits, twice as long each time, up to a minute") {
        Attempts attempts;
        Attempts::Instant now{};
        CHECK(attempts.wait("user 0", now) == 0ms);
        CHECK(attempts.wrong("user 0", now) == 0ms);
        CHECK(attempts.wrong("user 0", now) == 0ms);
        for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
            CHECK(attempts.wrong("user 0", now) == wait);
            CHECK(attempts.wait("user 0", now + wait - 1ms) == 1ms);
            now += wait;
            CHECK(attempts.wait("user 0", now) == 0ms);
        }
    }

    TEST_CASE("a right one is forgiven all before it, and so is who is quiet for long") {
        Attempts attempts;
        const Attempts::Instant now{};
        for (int i = 0; i < 5; ++i) {
            (void)attempts.wrong("user 0", now);
        }
        CHECK(attempts.wait("user 0", now) == 4s);
        CHECK(attempts.wait("user 0", now + 4s + 9min) == 0ms);
        CHECK(attempts.wrong("user 0", now + 4s + 9min) == 8s);
        CHECK(attempts.wrong("user 0", now + 1h) == 0ms);
        attempts.right("user 0");
        for (int i = 0; i < 2; ++i) {
            CHECK(attempts.wrong("user 0", now + 1h) == 0ms);
        }
    }

    TEST_CASE("one source does not make another wait, but all of them together do") {
        Attempts attempts;
        const Attempts::Instant now{};
        for (int i = 0; i < 3; ++i) {
            (void)attempts.wrong("user 1", now);
        }
        CHECK(attempts.wait("user 1", now) == 1s);
        CHECK(attempts.wait("user 2", now) == 0ms);
        for (int i = 0; i < 6; ++i) {
            CHECK(attempts.wrong("other " + std::to_string(i), now) == 0ms);
        }
        CHECK(attempts.wrong("one more", now) == 1s);
        CHECK(attempts.wait("yet another", now) == 1s);
        for (int i = 0; i < 20; ++i) {
            (void)attempts.wrong("user 1", now);
        }
        CHECK(attempts.wait("user 1", now) == 60s);
        CHECK(attempts.wait("yet another", now) == 1s);
    }

    TEST_CASE("many sources cost no more memory than some, and share a count past that") {
        Attempts attempts;
        Attempts::Instant now{};
        for (std::size_t i = 0; i < Attempts::max_sources; ++i) {
            (void)attempts.wrong("user " + std::to_string(i), now);
        }
        now += 2min;  // what all of them together have to wait is over
        (void)attempts.wrong("new 1", now);
        (void)attempts.wrong("new 2", now);
        now += 2min;
        (void)attempts.wrong("new 3", now);
        now += 999ms;
        attempts.right("none");
        CHECK(attempts.wait("new 4", now) == 1ms);
        CHECK(attempts.wait("user 1", now) == 0ms);
    }
}
