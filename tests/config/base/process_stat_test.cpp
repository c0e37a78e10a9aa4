// SPDX-License-Identifier: Apache-2.0
#include "config/base/process_stat.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

using stillboot::process_stat_of;
using stillboot::ProcessStat;

TEST_SUITE("base") {
    TEST_CASE("the state, the parent and the terminal are read, whatever the command is called") {
        for (const std::string name :
             {"sh", "a name", "(sd-pam)", "a) Z 7 7 7 7 7", "((", "))", ") ", " (", "", ") R 1 1 1 1 1 ("}) {
            CAPTURE(name);
            const std::string text = "812 (" + name + ") S 10 811 800 34823 812 4194560 0 0\n";
            CHECK(process_stat_of(text) == ProcessStat{'S', 10, 34823});
        }
    }

    TEST_CASE("a process that has ended, the first one and one without a terminal") {
        CHECK(process_stat_of("12 (mdadm) Z 10 1 1 0 -1 0\n") == ProcessStat{'Z', 10, 0});
        CHECK(process_stat_of("1 (init) R 0 1 1 0 -1 0\n") == ProcessStat{'R', 0, 0});
        // One that is being reaped has neither a group nor a session.
        CHECK(process_stat_of("12 (x) X 0 -1 -1 0 -1 0\n") == ProcessStat{'X', 0, 0});
        // The kernel prints the device number as it would an int.
        CHECK(process_stat_of("12 (x) S 1 1 1 -2147483648 1 0\n") == ProcessStat{'S', 1, -2147483647 - 1});
    }

    TEST_CASE("text that is cut off before all of that was said says nothing") {
        const std::string text = "812 (a) name) S 10 811 800 34823 812 4194560\n";
        const std::size_t needed = text.find(" 812 4194560") + 1;
        for (std::size_t length = 0; length <= text.size(); ++length) {
            CAPTURE(length);
            CHECK(process_stat_of(text.substr(0, length)).has_value() == (length >= needed));
        }
    }

    TEST_CASE("damaged text says nothing") {
        for (const std::string text :
             {"812 sh S 10 811 800 34823 812\n", "812 (sh)S 10 811 800 34823 812\n", "812 (sh) SS 10 1 1 0 -1\n",
              "812 (sh)  10 1 1 0 -1\n", "812 (sh) S x 1 1 0 -1\n", "812 (sh) S 10x 1 1 0 -1\n",
              "812 (sh) S 10 1 1 x -1\n", "812 (sh) S 10 1 1  -1\n", "812 (sh) S 99999999999 1 1 0 -1\n"}) {
            CAPTURE(text);
            CHECK_FALSE(process_stat_of(text));
        }
    }
}
