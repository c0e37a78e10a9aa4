// SPDX-License-Identifier: Apache-2.0
#include "config/parse/settings/boot_rule.hpp"

#include <doctest/doctest.h>

using namespace stillboot;
using namespace std::chrono_literals;

TEST_SUITE("settings") {
    TEST_CASE("a boot rule is words with conditions") {
        const auto rule =
            parse_boot_rule("  id=a* title=\"Debian GNU/Linux\" device=d type=removable format=bls wait=30");
        REQUIRE(rule);
        CHECK(rule->id == "a*");
        CHECK(rule->title == "Debian GNU/Linux");
        CHECK(rule->device == "d");
        CHECK(rule->type == "removable");
        CHECK(rule->format == "bls");
        CHECK(rule->wait == 30s);
        CHECK_FALSE(rule->wants_default());
        CHECK(parse_boot_rule("@default")->wants_default());
        CHECK(parse_boot_rule("device=d @default")->device == "d");
    }

    TEST_CASE("what is no boot rule is refused") {
        for (const char* text :
             {"", "  ", "default", "@default=1", "@default title=x", "id", "id=", "id=a id=b", "colour=red",
              "type=disk", "wait=0", "wait=3601", "wait=x", "wait=3s", "wait=1 wait=2", "wait="}) {
            CAPTURE(std::string(text));
            CHECK_FALSE(parse_boot_rule(text));
        }
    }
}
