// SPDX-License-Identifier: Apache-2.0
// Messages become sentences.
#include "config/base/message.hpp"

#include <doctest/doctest.h>

using stillboot::Message;

TEST_SUITE("base") {
    TEST_CASE("a message becomes the sentence of its code with the parameters filled in") {
        const Message message("base.file_too_large", {{"path", "/boot/x"}, {"limit_bytes", 10}});
        CHECK(message.sentence() == "/boot/x is larger than the 10 bytes that are accepted");
    }

    TEST_CASE("a code that the catalogue lacks still says everything it holds") {
        CHECK(Message("new.code", {{"a", 1}, {"b", "x y"}}).sentence() == "new.code a=1 b=x y");
    }

    TEST_CASE("errno is given by name and in words") {
        CHECK(stillboot::errno_words(EPERM) == "EPERM (Operation not permitted)");
        CHECK(stillboot::errno_words(99999) == "99999 (unknown error)");
    }
}
