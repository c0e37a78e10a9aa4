// SPDX-License-Identifier: Apache-2.0
// Strict mode: the policy goes on until something boots or its time is over.
#include <doctest/doctest.h>

#include "tests/daemon/policy/samples.hpp"

using namespace std::chrono_literals;
using namespace stillboot::policy;
using namespace stillboot::test;

namespace {

// A policy in strict mode whose only boot, of `first`, has failed at start + 1 s.
Policy strict_after_failure(unsigned retries) {
    Policy policy(0s, Strict{start + 600s, retries});
    policy.on_claims(start, defaults({first}));
    policy.on_settled(start, true);
    policy.on_boot_failed(start + 1s, refused);
    return policy;
}

}  // namespace

TEST_SUITE("strict mode") {
    TEST_CASE("strict mode tries all again after longer and longer pauses, and ends in the final action") {
        Policy policy = strict_after_failure(2);
        CHECK(policy.phase() == Phase::waiting);
        CHECK(policy.why().sentence() == "everything was tried and failed; it is tried again, round 1 of 2");
        CHECK(policy.wake_at() == start + 11s);
        CHECK_FALSE(policy.on_claims(start + 5s, defaults({first})).changed);
        CHECK(policy.on_time(start + 11s).boot == first.option);
        policy.on_boot_failed(start + 12s, refused);
        CHECK(policy.wake_at() == start + 32s);
        CHECK(policy.on_time(start + 32s).boot == first.option);
        const Actions last = policy.on_boot_failed(start + 33s, refused);
        CHECK(last.ended);
        CHECK_FALSE(last.boot);
        CHECK(policy.phase() == Phase::idle);
        CHECK(policy.why().sentence() == "every default was tried and failed");
        CHECK_FALSE(policy.wake_at());
        CHECK_FALSE(policy.on_claims(start + 40s, defaults({second})).boot);
    }

    TEST_CASE("in strict mode a device that comes during the pause is tried at once") {
        Policy policy = strict_after_failure(1);
        CHECK(policy.on_claims(start + 5s, defaults({first, second})).boot == second.option);
        policy.on_boot_failed(start + 6s, refused);
        CHECK(policy.on_time(start + 16s).boot == first.option);
    }

    TEST_CASE("strict mode ends when its time is over: at once, or after the boot that is under way") {
        Policy looking(10s, Strict{start + 600s, 3});
        CHECK(looking.wake_at() == start + 600s);
        CHECK(looking.on_time(start + 600s).ended);
        CHECK(looking.why().sentence() == "the time that strict_limit gives is over");
        Policy counting(30s, Strict{start + 20s, 3});
        counting.on_claims(start, defaults({first}));
        counting.on_settled(start, true);
        CHECK(counting.wake_at() == start + 20s);
        CHECK(counting.on_time(start + 20s).ended);
        Policy booting(0s, Strict{start + 20s, 3});
        booting.on_claims(start, defaults({first}));
        CHECK(booting.on_settled(start, true).boot);
        CHECK_FALSE(booting.wake_at());
        CHECK_FALSE(booting.on_time(start + 21s).ended);
        CHECK(booting.on_boot_failed(start + 22s, refused).ended);
    }

    TEST_CASE("in strict mode nothing to boot is tried again too, and `never` means at once") {
        Policy policy(std::nullopt, Strict{start + 600s, 0});
        CHECK(policy.strict());
        CHECK(policy.on_settled(start, true).ended);
        CHECK(policy.why().sentence() == "nothing that can be booted was found yet");
        Policy at_once(std::nullopt, Strict{start + 600s, 0});
        at_once.on_claims(start, defaults({first}));
        CHECK(at_once.on_settled(start, true).boot == first.option);
    }

    TEST_CASE("in strict mode the failure of what a client chose is followed by the candidates") {
        Policy policy(0s, Strict{start + 600s, 0});
        policy.on_claims(start, defaults({first}));
        policy.on_boot(start, third);
        policy.on_settled(start, true);
        CHECK(policy.on_boot_failed(start + 1s, refused).boot == first.option);
    }

    TEST_CASE("whoever may cancel ends strict mode with it") {
        Policy policy = strict_after_failure(3);
        CHECK(policy.on_cancel(start + 2s).changed);
        CHECK_FALSE(policy.strict());
        CHECK_FALSE(policy.wake_at());
        CHECK_FALSE(policy.on_time(start + 1h).ended);
    }

    TEST_CASE("in strict mode every order of events leads to a boot, a next moment, or the end") {
        for (int sequence = 0; sequence < 6 * 6 * 6 * 6 * 6; ++sequence) {
            Policy policy(2s, Strict{start + 100s, 1});
            bool booting = false;
            bool ended = false;
            int code = sequence;
            for (int step = 0; step < 5; ++step, code /= 6) {
                const Instant now = start + std::chrono::seconds(step * 30);
                Actions actions;
                switch (code % 6) {
                    case 0: actions = policy.on_settled(now, true); break;
                    case 1: actions = policy.on_claims(now, awaiting({first})); break;
                    case 2: actions = policy.on_claims(now, awaiting({})); break;
                    case 3: actions = policy.on_claims(now, {}); break;
                    case 4: actions = policy.on_time(now); break;
                    case 5:
                        if (booting) {
                            booting = false;
                            actions = policy.on_boot_failed(now, refused);
                        }
                        break;
                }
                REQUIRE_FALSE((booting && actions.boot));
                REQUIRE_FALSE((ended && (actions.boot || actions.ended)));
                booting = booting || actions.boot;
                ended = ended || actions.ended;
                REQUIRE((booting || ended || policy.wake_at().has_value()));
            }
        }
    }
}
