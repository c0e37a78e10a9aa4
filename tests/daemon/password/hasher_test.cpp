// SPDX-License-Identifier: Apache-2.0
// The helper with the real crypt(3).
#include "daemon/password/hasher.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "config/parse/settings/value.hpp"
#include "tests/daemon/probe/other_helpers.hpp"

using namespace stillboot;

namespace {

// By libxcrypt of "correct horse".
const std::string yescrypt = "$y$j9T$FCIBQLBcNEjmTxxBLxpaD.$O4hzHmwQoz3BrHL6pvBOgEZW38LXjcERSmyT071thx2";
const std::string sha512 =
    "$6$saltsaltsalt$Cy2drr8kDRji6smvDcT28wkqtq0R0VzVL5CkrjPQCITc5d/31j94knt9rGTcVSyjLXfjsiIsBh5ee8qR/3QDx1";

// What comes of a question to the helper.
template <class Ask>
Result<bool> told(Ask ask) {
    boost::asio::io_context loop(1);
    std::string fault;
    const Spawner spawner(loop.get_executor(), [&](const std::string&, const std::string& what) { fault = what; });
    std::optional<Result<bool>> out;
    ask(spawner, [&](const Result<bool>& answer) { out = answer; });
    loop.run();
    CHECK(fault.empty());
    REQUIRE(out);
    return *out;
}

Result<bool> check(const std::string& hash, const std::string& text) {
    return told([&](const Spawner& spawner, auto done) { password::check(spawner, hash, text, done); });
}

}  // namespace

TEST_SUITE("password") {
    TEST_CASE("a password is compared with a hash of any kind that crypt knows") {
        for (const std::string& hash : {yescrypt, sha512}) {
            CHECK(check(hash, "correct horse").value());
            CHECK_FALSE(check(hash, "correct hors").value());
            CHECK_FALSE(check(hash, "correct horse ").value());
            CHECK_FALSE(check(hash, hash).value());
        }
    }

    TEST_CASE("the hash that is made is a yescrypt one, another each time, and the setting takes it") {
        const auto hash = password::make_hash("pässwörd, long $y$");
        REQUIRE(hash);
        CHECK(hash->starts_with("$y$"));
        CHECK(check(*hash, "pässwörd, long $y$").value());
        CHECK_FALSE(check(*hash, "passwort").value());
        CHECK(password::make_hash("pässwörd, long $y$").value() != *hash);
        CHECK_FALSE(check_setting(Settings(), {"password", *hash}));
    }

    TEST_CASE("a hash that crypt does not know is no wrong password") {
        const auto outcome = check("$nonsense$x", "correct horse");
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().sentence() ==
              "the password cannot be compared: stillboot-password failed on a password with status 1");
    }

    TEST_CASE("a hash that no password can match is told from one that can be matched") {
        const std::string bcrypt = "$2b$05$abcdefghijklmnopqrstuu5LIrbvbBB3Kv7DnR8mtJMq4rD6nbCRa";
        for (const std::string& hash : {yescrypt, sha512, bcrypt}) {
            CHECK(told([&](const Spawner& spawner, auto done) {
                      password::check_hash(spawner, hash, done);
                  }).value());
        }
        for (const std::string hash :
             {"$1$abc", "$zz$abc$def", "$6$salt", "$6$salt$", "$y$j9T$short$x", "$2b$05$x"}) {
            CAPTURE(hash);
            CHECK_FALSE(told([&](const Spawner& spawner, auto done) {
                            password::check_hash(spawner, hash, done);
                        }).value());
        }
    }

    TEST_CASE("a helper that says what makes no sense, or dies, lets nobody in") {
        for (const char* script : {"kill -9 $$", "exit 0", "printf '{}' >&3"}) {
            const test::OtherHelpers others(script);
            CHECK(check(sha512, "correct horse").error().code() == "daemon.password_failed");
            CHECK(password::make_hash("x").error().code() == "daemon.password_failed");
        }
    }

    TEST_CASE("what a password is") {
        for (const std::string& good :
             {std::string("x"), std::string(256, 'x'), std::string("wörd mit $ und ,")}) {
            CHECK(password::check_text(good));
        }
        for (const std::string& bad : {std::string(), std::string(257, 'x'), std::string("a\nb"),
                                       std::string("\0", 1), std::string("w\xf6rd")}) {
            CHECK(password::check_text(bad).error().sentence() ==
                  "a password is 1 to 256 bytes of UTF-8 text in one line");
        }
    }

    TEST_CASE("a text that was wiped is empty, and its bytes are gone") {
        std::string text = "correct horse";
        const char* const bytes = text.data();
        password::wipe(text);
        CHECK(text.empty());
        CHECK(std::string_view(bytes, 7).find_first_not_of('\0') == std::string_view::npos);
    }
}
