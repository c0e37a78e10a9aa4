// SPDX-License-Identifier: Apache-2.0
// Text from outside becomes valid UTF-8.
#include "config/base/utf8.hpp"

#include <doctest/doctest.h>

using stillboot::valid_utf8;

TEST_SUITE("base") {
    TEST_CASE("valid text of every length stays as it is") {
        for (const char* text :
             {"", "a", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"}) {
            CAPTURE(text);
            CHECK(valid_utf8(text) == text);
        }
    }

    TEST_CASE("every byte that is no part of a valid sequence is replaced") {
        CHECK(valid_utf8("a\xFFz") == "a\xEF\xBF\xBDz");
        CHECK(valid_utf8({"\0z\0", 3}) == "\xEF\xBF\xBDz\xEF\xBF\xBD");
        CHECK(valid_utf8("\xC3") == "\xEF\xBF\xBD");
        CHECK(valid_utf8("\xC3z") == "\xEF\xBF\xBDz");
        CHECK(valid_utf8("\xC0\xAF") == "\xEF\xBF\xBD\xEF\xBF\xBD");
        for (const char* text : {"\xE0\x80\x80", "\xED\xA0\x80"}) {
            CHECK(valid_utf8(text) == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
        }
        for (const char* text : {"\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80"}) {
            CHECK(valid_utf8(text) == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
        }
    }
}
