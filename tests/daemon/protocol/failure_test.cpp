// SPDX-License-Identifier: Apache-2.0
// Errors of the protocol keep their message on the way.
#include "daemon/protocol/failure.hpp"

#include <doctest/doctest.h>

using namespace stillboot::protocol;
using stillboot::Message;

TEST_SUITE("protocol") {
    TEST_CASE("each error keeps its kind and becomes a sentence on the client's side") {
        struct Row {
            Reply reply;
            Failure failure;
            std::string_view sentence;
        };
        const Message reason("base.not_a_file", {{"path", "/k"}});
        const Row rows[] = {
            {not_found("option x"), Failure::not_found, "there is no option x"},
            {ambiguous("Debian", {"a", "b"}), Failure::ambiguous, "Debian fits several: a, b"},
            {busy("Debian"), Failure::busy, "Debian is being booted already"},
            {refused(reason), Failure::refused, "refused: /k is not a regular file"},
            {boot_failed(reason), Failure::boot_failed, "the boot failed: /k is not a regular file"},
            {permission_denied(Role::boot, Role::look), Failure::permission_denied,
             "this needs the role boot, and the caller has the role look"},
            {wrong_password(std::chrono::seconds(2)), Failure::wrong_password,
             "this is not the password; the next one is looked at in 2000 ms"},
            {try_later(std::chrono::milliseconds(500)), Failure::wrong_password,
             "no password is looked at for another 500 ms"},
            {not_in_this_build("x"), Failure::not_in_this_build, "x is not in this build"},
            {too_slow(), Failure::too_slow, "the connection was ended: replies were read too slowly"},
        };
        for (const auto& row : rows) {
            const auto error = to_error(row.reply);
            CHECK(error.sentence() == row.sentence);
            CHECK(classify(error) == row.failure);
        }
    }

    TEST_CASE("an error that this build does not know is shown as it came") {
        Reply reply;
        reply.error = "io.stillboot.New";
        reply.parameters = {{"a", 1}};
        CHECK(to_error(reply).sentence() == R"(the service answered with io.stillboot.New {"a":1})");
        CHECK(classify(to_error(reply)) == Failure::protocol);
    }
}
