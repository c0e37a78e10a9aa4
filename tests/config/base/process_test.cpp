// SPDX-License-Identifier: Apache-2.0
// Programs are run to their end or their deadline.
#include "config/base/process.hpp"

#include <doctest/doctest.h>
#include <signal.h>

using namespace std::chrono_literals;
using stillboot::SystemProcessRunner;

TEST_SUITE("base") {
    TEST_CASE("output and exit status come back") {
        SystemProcessRunner runner;
        const auto outcome = runner.run({{"sh", "-c", "echo out; echo err >&2; exit 3"}, 10s, 1000});
        REQUIRE(outcome);
        CHECK(outcome->exit_status == 3);
        CHECK(outcome->output == "out\nerr\n");
    }

    TEST_CASE("a child past its deadline is ended and named") {
        SystemProcessRunner runner;
        const auto outcome = runner.run({{"tail", "-f", "/dev/null"}, 50ms, 1000});
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().code() == "base.child_timed_out");
    }

    TEST_CASE("output past the bound is dropped and the child is not blocked by it") {
        SystemProcessRunner runner;
        const auto outcome = runner.run({{"sh", "-c", "head -c 1000000 /dev/zero"}, 10s, 100});
        REQUIRE(outcome);
        CHECK(outcome->ok());
        CHECK(outcome->output.size() == 100);
    }

    TEST_CASE("a program that does not exist is an error that names it") {
        SystemProcessRunner runner;
        const auto outcome = runner.run({{"no-such-program-here"}, 10s, 100});
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().message().param("program") == "no-such-program-here");
    }

    TEST_CASE("a signal is reported as such") {
        SystemProcessRunner runner;
        const auto outcome = runner.run({{"sh", "-c", "kill -TERM $$"}, 10s, 100});
        REQUIRE(outcome);
        CHECK(outcome->signal == SIGTERM);
    }
}
