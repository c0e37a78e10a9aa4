// SPDX-License-Identifier: Apache-2.0
// The order of versions, by the examples of the specification.
#include "config/parse/bls/version_compare.hpp"

#include <doctest/doctest.h>

#include <iterator>
#include <string>

using stillboot::compare_versions;

TEST_SUITE("bls") {
    TEST_CASE("versions are ordered as the specification's ladder has them") {
        const char* const ladder[] = {"~",         "",        "0",       "0.",      "0.0",   "122.1",
                                      "123~rc1-1", "123",     "123-a",   "123-a.1", "123-1", "123-1.1",
                                      "123^post1", "123.a-1", "123.1-1", "123a-1",  "124-1", "1000"};
        for (std::size_t i = 0; i < std::size(ladder); ++i) {
            for (std::size_t j = 0; j < std::size(ladder); ++j) {
                CAPTURE(ladder[i]);
                CAPTURE(ladder[j]);
                CHECK((compare_versions(ladder[i], ladder[j]) < 0) == (i < j));
                CHECK((compare_versions(ladder[i], ladder[j]) > 0) == (i > j));
            }
        }
    }

    TEST_CASE("versions compare by number, letters by their code, and other characters count for nothing") {
        struct Row {
            const char* older;
            const char* newer;
        };
        const Row rows[] = {
            {"6.9.0", "6.10.0"},
            {"6.1.0-9-amd64", "6.1.0-10-amd64"},
            {"B", "a"},
            {"bar-123", "foo-123"},
            {"123.a", "123.b"},
            {"123.a", "123a"},
            {"1_", "1.2"},
            {"1.3.3", "1_2_3"},
            {"18446744073709551615", "18446744073709551616"},
            {"1~", "1~~"},
            {"rc", "1"},
            {"a", "ab"},
            {"1^", "1.x"},
            {"1", "1^"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.older);
            CHECK(compare_versions(row.older, row.newer) < 0);
            CHECK(compare_versions(row.newer, row.older) > 0);
        }
        CHECK(compare_versions("1_", "1") == 0);
        CHECK(compare_versions("+1", "1") == 0);
        CHECK(compare_versions("11\xCE\xB1", "11\xCE\xB2") == 0);
        CHECK(compare_versions("007", "7") == 0);
        CHECK(compare_versions("0.00", "0.0") == 0);
    }
}
