// SPDX-License-Identifier: Apache-2.0
#include "ui/menu/kernel_log.hpp"

#include <doctest/doctest.h>

using stillboot::menu::is_shown_on_consoles;

TEST_SUITE("menu") {
    TEST_CASE("a kernel message is shown on consoles where it is more severe than their level") {
        CHECK(is_shown_on_consoles("3,339,5140900,-;ata1: failed\n", 4));
        CHECK_FALSE(is_shown_on_consoles("4,340,5140901,-;a warning\n", 4));
        CHECK_FALSE(is_shown_on_consoles("6,341,5140902,c;information\n", 4));
    }

    TEST_CASE("a program's message counts by its severity, not by its facility") {
        CHECK(is_shown_on_consoles("30,342,5140903,-;a daemon's information\n", 7));
        CHECK_FALSE(is_shown_on_consoles("30,342,5140903,-;a daemon's information\n", 6));
    }

    TEST_CASE("what is no record is not shown") {
        CHECK_FALSE(is_shown_on_consoles("", 7));
        CHECK_FALSE(is_shown_on_consoles(" SUBSYSTEM=acpi\n", 7));
    }
}
