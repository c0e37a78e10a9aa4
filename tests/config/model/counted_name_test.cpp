// SPDX-License-Identifier: Apache-2.0
#include "config/model/counted_name.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace stillboot;

TEST_SUITE("model") {
    TEST_CASE("file names of entries are taken apart and put together again") {
        struct Row {
            const char* name;
            CountedName parts;
            const char* again;
        };
        const Row rows[] = {
            {"first.conf", {"first", std::nullopt, ".conf"}, "first.conf"},
            {"first+3.conf", {"first", BootTries{3, 0}, ".conf"}, "first+3.conf"},
            {"first+2-1.conf", {"first", BootTries{2, 1}, ".conf"}, "first+2-1.conf"},
            {"first+0-3.efi", {"first", BootTries{0, 3}, ".efi"}, "first+0-3.efi"},
            {"a+b+04-00.conf", {"a+b", BootTries{4, 0}, ".conf"}, "a+b+4.conf"},
            // No counters: they belong to the name.
            {"+3.conf", {"+3", std::nullopt, ".conf"}, "+3.conf"},
            {"a+.conf", {"a+", std::nullopt, ".conf"}, "a+.conf"},
            {"a+3-.conf", {"a+3-", std::nullopt, ".conf"}, "a+3-.conf"},
            {"a+-3.conf", {"a+-3", std::nullopt, ".conf"}, "a+-3.conf"},
            {"a+3x.conf", {"a+3x", std::nullopt, ".conf"}, "a+3x.conf"},
            {"a+4294967296.conf", {"a+4294967296", std::nullopt, ".conf"}, "a+4294967296.conf"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto parts = counted_name_of(row.name);
            REQUIRE(parts);
            CHECK(*parts == row.parts);
            CHECK(to_text(*parts) == row.again);
        }
        for (const char* none : {"", ".conf", ".efi", "first", "first.con", "first.conf.bak"}) {
            CHECK_FALSE(counted_name_of(none));
        }
    }

    TEST_CASE("a try goes from left to done, which ends where numbers do") {
        CHECK(after_try({3, 0}) == BootTries{2, 1});
        CHECK(after_try({1, 2}) == BootTries{0, 3});
        constexpr auto most = std::numeric_limits<std::uint32_t>::max();
        CHECK(after_try({1, most}) == BootTries{0, most});
    }
}
