// SPDX-License-Identifier: Apache-2.0
#include "daemon/discover/discovery.hpp"

#include <doctest/doctest.h>

#include "tests/daemon/discover/fake_devices.hpp"

using namespace stillboot;
using namespace stillboot::discover;
using namespace stillboot::discover::test;
using namespace std::chrono_literals;

TEST_SUITE("discover") {
    TEST_CASE_FIXTURE(Fixture,
                      "it settles when nothing has come for the quiet time, and not before the scans are done") {
        settings.quiet_time = 0ms;
        scanner.held = true;
        start({disk("a")});
        CHECK_FALSE(settled);
        scanner.release();
        run();
        CHECK(settled == true);
    }

    TEST_CASE_FIXTURE(Fixture, "udev's queue holds it back until the queue's file has gone") {
        settings.quiet_time = 0ms;
        tree.file("queue", "");
        start({disk("a")});
        CHECK_FALSE(settled);
        std::filesystem::remove(tree.path() / "queue");
        while (!settled && loop.run_one_for(5s) != 0) {
        }
        CHECK(settled == true);
    }

    TEST_CASE_FIXTURE(Fixture, "it settles again when it is told to, with all that comes meanwhile") {
        settings.quiet_time = 0ms;
        start({disk("a")});
        CHECK(settled == true);
        settled.reset();
        tree.file("queue", "");
        discovery->settle_again();
        CHECK_FALSE(settled);
        std::filesystem::remove(tree.path() / "queue");
        while (!settled && loop.run_one_for(5s) != 0) {
        }
        CHECK(settled == true);
    }

    TEST_CASE_FIXTURE(Fixture, "the wait is bounded, and then it says that it was") {
        settings.settle_deadline = 0ms;
        scanner.held = true;
        start({disk("a")});
        CHECK(settled == false);
    }
}
