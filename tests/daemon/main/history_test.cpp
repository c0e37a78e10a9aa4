// SPDX-License-Identifier: Apache-2.0
#include "daemon/main/history.hpp"

#include <doctest/doctest.h>

using namespace stillboot;

namespace {

SentChange change(std::uint64_t seq, std::size_t size = 10) {
    SentChange made;
    made.seq = seq;
    made.frame = std::make_shared<const std::string>(size, 'x');
    return made;
}

}  // namespace

TEST_SUITE("core") {
    TEST_CASE("a history that is empty goes on from 0 and from nothing else") {
        const History history;
        REQUIRE(history.after(0));
        CHECK(history.after(0)->empty());
        CHECK_FALSE(history.after(1));
    }

    TEST_CASE("what is kept is given from the one after the last that was seen") {
        History history(HistoryBounds{3, 1000});
        for (std::uint64_t seq = 1; seq <= 5; ++seq) {
            history.add(change(seq));
        }
        CHECK(history.last() == 5);
        CHECK(history.bytes() == 30);
        CHECK(history.after(5)->empty());
        REQUIRE(history.after(2)->size() == 3);
        CHECK(history.after(2)->front().seq == 3);
        CHECK(history.after(4)->front().seq == 5);
        CHECK_FALSE(history.after(1));
        CHECK_FALSE(history.after(6));
        CHECK_FALSE(history.after(~std::uint64_t{0}));
    }

    TEST_CASE("the bytes have a bound, and one change past it leaves nothing to go on from but itself") {
        History history(HistoryBounds{100, 25});
        history.add(change(1));
        history.add(change(2));
        history.add(change(3));
        CHECK(history.bytes() == 20);
        CHECK(history.after(1)->size() == 2);
        CHECK_FALSE(history.after(0));
        history.add(change(4, 26));
        CHECK(history.bytes() == 0);
        CHECK_FALSE(history.after(3));
        CHECK(history.after(4)->empty());
    }
}
