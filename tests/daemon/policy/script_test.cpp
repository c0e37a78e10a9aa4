// SPDX-License-Identifier: Apache-2.0
// A script (stillboot.script=) holds the clock while it runs.
#include <doctest/doctest.h>

#include "tests/daemon/policy/samples.hpp"

using namespace std::chrono_literals;
using namespace stillboot::policy;
using namespace stillboot::test;
using stillboot::Message;

TEST_SUITE("policy and script") {
    TEST_CASE("while a script runs the clock waits, and goes on as always when it has ended") {
        Policy policy(10s);
        policy.on_claims(start, defaults({first}));
        CHECK_FALSE(policy.on_script_begun(start + 600s, Message("daemon.why_script", {{"path", "/s"}})).changed);
        CHECK_FALSE(policy.on_settled(start, true).boot);
        CHECK(policy.phase() == Phase::waiting);
        CHECK(policy.why().sentence() == "the script /s runs; the clock goes on when it has ended");
        CHECK(policy.remaining(start + 100s) == 500s);
        CHECK_FALSE(policy.on_claims(start + 1s, defaults({first, second})).changed);
        CHECK(policy.on_script_ended(start + 2s).changed);
        CHECK(policy.phase() == Phase::countdown);
        CHECK(policy.remaining(start + 2s) == 10s);
        CHECK_FALSE(policy.on_script_ended(start + 3s).changed);
    }

    TEST_CASE("a script that does not end is not waited for beyond its time") {
        Policy policy(10s);
        policy.on_claims(start, defaults({first}));
        policy.on_script_begun(start + 600s, Message("daemon.why_script", {{"path", "/s"}}));
        policy.on_settled(start, true);
        CHECK_FALSE(policy.on_time(start + 599s).changed);
        CHECK(policy.on_time(start + 600s).changed);
        CHECK(policy.phase() == Phase::countdown);
    }

    TEST_CASE("a script that boots or cancels has decided; what it boots in strict mode is followed by the next") {
        const Message why("daemon.why_script", {{"path", "/s"}});
        Policy cancelled(10s);
        cancelled.on_claims(start, defaults({first}));
        cancelled.on_script_begun(start + 600s, why);
        cancelled.on_settled(start, true);
        CHECK(cancelled.on_cancel(start + 1s).changed);
        CHECK_FALSE(cancelled.on_script_ended(start + 2s).changed);
        CHECK(cancelled.phase() == Phase::idle);

        Policy boots(10s);
        boots.on_claims(start, defaults({first}));
        boots.on_script_begun(start + 600s, why);
        boots.on_settled(start, true);
        CHECK(boots.on_boot(start + 1s, second).boot == second.option);
        CHECK_FALSE(boots.on_script_ended(start + 2s).changed);
        boots.on_boot_failed(start + 3s, refused);
        CHECK(boots.phase() == Phase::idle);

        Policy strict(10s, Strict{start + 900s, 3});
        strict.on_claims(start, defaults({first}));
        strict.on_script_begun(start + 600s, why);
        strict.on_settled(start, true);
        strict.on_boot(start + 1s, second);
        strict.on_boot_failed(start + 3s, refused);
        CHECK(strict.phase() == Phase::waiting);
        CHECK(strict.on_script_ended(start + 4s).changed);
        CHECK(strict.phase() == Phase::countdown);
        CHECK(strict.target() == first);
    }

    TEST_CASE("a script holds no clock that does not run, but what is to be booted again") {
        const Message why("daemon.why_script", {{"path", "/s"}});
        Policy never(std::nullopt);
        never.on_claims(start, defaults({first}));
        never.on_script_begun(start + 600s, why);
        never.on_settled(start, true);
        CHECK(never.phase() == Phase::idle);
        Policy again(std::nullopt);
        again.on_claims(start, defaults({first}));
        again.on_retry(second);
        again.on_script_begun(start + 600s, why);
        again.on_settled(start, true);
        CHECK(again.phase() == Phase::waiting);
        again.on_script_ended(start + 1s);
        CHECK(again.target() == second);
    }
}
