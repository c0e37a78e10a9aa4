// SPDX-License-Identifier: Apache-2.0
#include "daemon/policy/policy.hpp"

#include <doctest/doctest.h>

#include "tests/daemon/policy/samples.hpp"

using namespace std::chrono_literals;
using namespace stillboot::policy;
using namespace stillboot::test;
using stillboot::Message;

namespace {

// A policy whose countdown for `first` runs since `start`.
Policy counting(std::vector<Candidate> candidates = {first, second}) {
    Policy policy(10s);
    policy.on_claims(start, defaults(std::move(candidates)));
    policy.on_settled(start, true);
    return policy;
}

}  // namespace

TEST_SUITE("policy") {
    TEST_CASE("nothing boots while devices are still being found, however long that takes") {
        Policy policy(0s);
        CHECK_FALSE(policy.on_claims(start, defaults({first})).boot);
        CHECK_FALSE(policy.on_time(start + 1h).boot);
        CHECK(policy.phase() == Phase::discovering);
        CHECK(policy.why().sentence() == "still looking for what can be booted");
    }

    TEST_CASE("the countdown is for the first candidate of the fixed order and boots it when it is over") {
        Policy policy = counting();
        CHECK(policy.phase() == Phase::countdown);
        CHECK(policy.target() == first);
        CHECK(policy.why().sentence() == "A is the default of the first device");
        CHECK(policy.remaining(start + 3s) == 7s);
        CHECK(policy.wake_at() == start + 10s);
        CHECK_FALSE(policy.on_time(start + 9s).boot);
        CHECK(policy.on_time(start + 10s).boot == first.option);
        CHECK(policy.phase() == Phase::handover);
        CHECK_FALSE(policy.wake_at());
    }

    TEST_CASE("a timeout of zero boots at once, an empty one never") {
        Policy at_once(0s);
        at_once.on_claims(start, defaults({first}));
        CHECK(at_once.on_settled(start, true).boot == first.option);
        Policy never(std::nullopt);
        never.on_claims(start, defaults({first}));
        CHECK_FALSE(never.on_settled(start, true).boot);
        CHECK(never.phase() == Phase::idle);
        CHECK(never.why().sentence() == "the setting `timeout` says that nothing boots by itself");
    }

    TEST_CASE("where the bounded wait ended discovery, the reason says so") {
        Policy policy(10s);
        policy.on_claims(start, defaults({first}));
        policy.on_settled(start, false);
        CHECK(policy.why().sentence() ==
              "A is the default of the first device so far; some devices are still starting");
    }

    TEST_CASE("with nothing to boot it rests, and starts when the first candidate comes") {
        Policy policy(10s);
        policy.on_settled(start, true);
        CHECK(policy.phase() == Phase::idle);
        CHECK(policy.why().sentence() == "nothing that can be booted was found yet");
        CHECK(policy.on_claims(start + 5s, defaults({second})).changed);
        CHECK(policy.target() == second);
        CHECK(policy.wake_at() == start + 15s);
    }

    TEST_CASE("a better default that comes later is announced and not taken") {
        Policy policy = counting({second});
        CHECK(policy.on_claims(start + 1s, defaults({first, second})).changed);
        CHECK(policy.target() == second);
        CHECK(policy.better() == first);
        CHECK_FALSE(policy.on_claims(start + 2s, defaults({first, second, third})).changed);
        CHECK(policy.on_claims(start + 3s, defaults({second, third})).changed);
        CHECK_FALSE(policy.better());
        CHECK(policy.on_time(start + 10s).boot == second.option);
    }

    TEST_CASE("a worse default that comes later changes nothing") {
        Policy policy = counting({first});
        CHECK_FALSE(policy.on_claims(start, defaults({first, second})).changed);
        CHECK_FALSE(policy.better());
    }

    TEST_CASE("where the target goes, the countdown begins anew for the next") {
        Policy policy = counting();
        CHECK(policy.on_claims(start + 9s, defaults({second})).changed);
        CHECK(policy.target() == second);
        CHECK(policy.wake_at() == start + 19s);
        policy.on_claims(start + 10s, defaults({}));
        CHECK(policy.phase() == Phase::idle);
    }

    TEST_CASE("a key ends the countdown for good, also one pressed before it began") {
        Policy policy = counting();
        CHECK(policy.on_cancel(start + 1s).changed);
        CHECK(policy.phase() == Phase::idle);
        CHECK(policy.why().sentence() == "the countdown was stopped");
        CHECK_FALSE(policy.on_time(start + 10s).boot);
        CHECK_FALSE(policy.on_claims(start + 11s, defaults({first})).boot);
        CHECK(policy.phase() == Phase::idle);
        Policy early(0s);
        early.on_claims(start, defaults({first}));
        early.on_cancel(start);
        CHECK(early.phase() == Phase::discovering);
        CHECK_FALSE(early.on_settled(start, true).boot);
        CHECK(early.phase() == Phase::idle);
    }

    TEST_CASE("a boot that fails is followed by the next candidate, each once, until none is left") {
        Policy policy = counting({first, second, third});
        CHECK(policy.on_time(start + 10s).boot == first.option);
        CHECK(policy.on_boot_failed(start + 20s, refused).changed);
        CHECK(policy.last_failure() == refused);
        CHECK(policy.target() == second);
        CHECK(policy.why().sentence() == "B is the next default after the one that failed");
        CHECK(policy.on_time(start + 30s).boot == second.option);
        policy.on_boot_failed(start + 40s, refused);
        CHECK_FALSE(policy.better());
        CHECK(policy.on_time(start + 50s).boot == third.option);
        policy.on_boot_failed(start + 60s, refused);
        CHECK(policy.phase() == Phase::idle);
        CHECK(policy.why().sentence() == "every default was tried and failed");
        CHECK_FALSE(policy.on_claims(start + 70s, defaults({first, second, third})).boot);
        CHECK(policy.phase() == Phase::idle);
    }

    TEST_CASE("a device that comes after every default has failed gets its turn") {
        Policy policy = counting({first});
        policy.on_time(start + 10s);
        policy.on_boot_failed(start + 20s, refused);
        policy.on_claims(start + 30s, defaults({first, second}));
        CHECK(policy.phase() == Phase::countdown);
        CHECK(policy.target() == second);
    }

    TEST_CASE("a client's choice ends the countdown, and its failure starts none") {
        Policy policy = counting();
        CHECK(policy.on_boot(start + 1s, third).boot == third.option);
        CHECK(policy.why().sentence() == "C was chosen");
        policy.on_boot_failed(start + 2s, refused);
        CHECK(policy.phase() == Phase::idle);
        CHECK(policy.why().sentence() == "C was chosen and could not be booted");
        CHECK_FALSE(policy.on_time(start + 1h).boot);
    }

    TEST_CASE("cancel during the hand-over stops it, and nothing boots by itself after") {
        Policy policy = counting();
        policy.on_time(start + 10s);
        const auto actions = policy.on_cancel(start + 11s);
        CHECK(actions.cancel_boot);
        CHECK(policy.phase() == Phase::handover);
        policy.on_boot_failed(start + 12s, refused);
        CHECK(policy.phase() == Phase::idle);
        CHECK(policy.why().sentence() == "the countdown was stopped");
    }

    TEST_CASE("a choice made before discovery has settled is booted, and settling does not disturb it") {
        Policy policy(0s);
        CHECK(policy.on_boot(start, first).boot == first.option);
        CHECK_FALSE(policy.on_settled(start + 1s, true).boot);
        CHECK(policy.phase() == Phase::handover);
    }

    TEST_CASE("an option whose hand-over was cut off before is not tried again by itself") {
        Policy policy(10s);
        CHECK(policy.on_recovering().changed);
        CHECK(policy.why().sentence() == "putting back what a hand-over that was cut off had taken down");
        CHECK(policy.on_recovered(first.option, refused).changed);
        CHECK(policy.why().code() == "daemon.why_discovering");
        policy.on_claims(start, defaults({first, second}));
        policy.on_settled(start, true);
        CHECK(policy.last_failure() == refused);
        CHECK(policy.target() == second);
    }

    TEST_CASE("who stops the clock while a hand-over is being undone has stopped it") {
        Policy policy(10s);
        policy.on_recovering();
        policy.on_cancel(start);
        policy.on_recovered("", std::nullopt);
        CHECK(policy.why().code() == "daemon.why_stopped");
        policy.on_claims(start, defaults({first}));
        policy.on_settled(start, true);
        CHECK(policy.phase() == Phase::idle);
        CHECK_FALSE(policy.last_failure());
    }

    TEST_CASE("no order of events boots twice, and a countdown always has an end and a target") {
        // Every sequence of four of the seven events; each event comes a second after the one before.
        for (int sequence = 0; sequence < 7 * 7 * 7 * 7; ++sequence) {
            Policy policy(2s);
            bool booting = false;
            int code = sequence;
            for (int step = 0; step < 4; ++step, code /= 7) {
                const Instant now = start + std::chrono::seconds(step);
                Actions actions;
                switch (code % 7) {
                    case 0: actions = policy.on_settled(now, step % 2 == 0); break;
                    case 1: actions = policy.on_claims(now, defaults({first, second})); break;
                    case 2: actions = policy.on_claims(now, defaults({})); break;
                    case 3: actions = policy.on_time(now + 2s); break;
                    case 4: actions = policy.on_cancel(now); break;
                    case 5:
                        if (!booting) {
                            actions = policy.on_boot(now, third);
                        }
                        break;
                    case 6:
                        if (booting) {
                            booting = false;
                            actions = policy.on_boot_failed(now, refused);
                        }
                        break;
                }
                REQUIRE_FALSE((booting && actions.boot));
                booting = booting || actions.boot;
                REQUIRE(booting == (policy.phase() == Phase::handover));
                REQUIRE((policy.phase() == Phase::countdown) == policy.wake_at().has_value());
                const bool has_target = policy.phase() == Phase::countdown || policy.phase() == Phase::handover;
                REQUIRE(has_target == policy.target().has_value());
                REQUIRE_FALSE(policy.why().sentence().empty());
            }
        }
    }

    TEST_CASE("what an earlier kernel wanted booted again comes first, also where nothing boots by itself") {
        for (const std::optional<std::chrono::seconds> timeout :
             {std::optional(5s), std::optional<std::chrono::seconds>()}) {
            Policy policy(timeout);
            policy.on_claims(start, defaults({first, second}));
            CHECK_FALSE(policy.on_retry(third).boot);
            CHECK_FALSE(policy.on_settled(start, true).boot);
            CHECK(policy.target() == third);
            CHECK(policy.why().sentence() == "C is booted again, with the driver that failed left alone");
            CHECK(policy.remaining(start) == timeout.value_or(10s));
            policy.on_claims(start, defaults({first}));  // it need not be the default of anything
            CHECK(policy.target() == third);
            CHECK(policy.on_time(start + 10s).boot == third.option);
            const Actions after = policy.on_boot_failed(start + 20s, refused);
            CHECK_FALSE(after.boot);
            CHECK(policy.phase() == (timeout ? Phase::countdown : Phase::idle));
        }
    }

    TEST_CASE("a person stops what would be booted again") {
        Policy policy(5s);
        policy.on_claims(start, defaults({first}));
        policy.on_retry(third);
        policy.on_settled(start, true);
        policy.on_cancel(start);
        CHECK(policy.phase() == Phase::idle);
        CHECK_FALSE(policy.on_time(start + 1h).boot);
        policy.on_claims(start, defaults({first, second}));
        CHECK(policy.phase() == Phase::idle);
    }

    TEST_CASE("the first claim that names an option wins, and the state says who and what it beat") {
        Policy policy(10s);
        const Message by_rule("daemon.by_rule",
                              {{"rule", "title=B"}, {"key", "boot"}, {"origin", "/etc/s.toml:3"}});
        const Message none("daemon.by_rule", {{"rule", "id=x"}, {"key", "boot"}, {"origin", "/etc/s.toml:3"}});
        policy.on_claims(start,
                         {{none, 0s, {}}, {by_rule, 0s, {second}}, {by_configuration, 0s, {first, second}}});
        policy.on_settled(start, true);
        CHECK(policy.target() == second);
        CHECK(policy.why().sentence() == "B is what the rule title=B names (boot, /etc/s.toml:3)");
        CHECK(policy.by() == by_rule);
        CHECK(policy.beaten() == std::vector<Beaten>{{by_configuration, first}});
        policy.on_boot(start, third);
        CHECK_FALSE(policy.by());
        CHECK(policy.beaten().empty());
    }

    TEST_CASE("what somebody chooses while a countdown runs is taken, and what comes by itself announced") {
        Policy policy = counting({second});
        const std::vector<Claim> chosen = {{Message("daemon.by_saved"), 0s, {third}},
                                           {by_configuration, 0s, {second}}};
        CHECK(policy.on_choice(start + 5s, chosen).changed);
        CHECK(policy.target() == third);
        CHECK(policy.wake_at() == start + 15s);
        CHECK(policy.on_time(start + 15s).boot == third.option);
        CHECK_FALSE(policy.on_choice(start + 16s, defaults({first})).boot);
        Policy stopped = counting();
        stopped.on_cancel(start);
        CHECK_FALSE(stopped.on_choice(start, chosen).boot);
        CHECK(stopped.phase() == Phase::idle);
    }

    TEST_CASE("what a rule waits for is booted when it comes, and passed over when its time is over") {
        for (const bool comes : {true, false}) {
            Policy policy(0s);
            policy.on_claims(start, awaiting({}));
            CHECK_FALSE(policy.on_settled(start + 5s, true).boot);
            CHECK(policy.phase() == Phase::waiting);
            CHECK(policy.why().sentence() ==
                  "waiting for what the rule id=a names (boot, x), before anything that comes after it");
            CHECK(policy.remaining(start + 5s) == 30s);
            CHECK_FALSE(policy.on_claims(start + 10s, awaiting({})).changed);
            CHECK(policy.wake_at() == start + 35s);
            CHECK_FALSE(policy.on_time(start + 34s).boot);
            CHECK((comes ? policy.on_claims(start + 20s, awaiting({first})) : policy.on_time(start + 35s)).boot ==
                  (comes ? first : second).option);
        }
    }

    TEST_CASE("who stops the clock stops the waiting") {
        Policy policy(0s);
        policy.on_claims(start, awaiting({}));
        policy.on_settled(start, true);
        CHECK(policy.on_cancel(start).changed);
        CHECK(policy.phase() == Phase::idle);
        CHECK_FALSE(policy.on_claims(start + 1s, awaiting({first})).boot);
        CHECK_FALSE(policy.on_time(start + 1h).boot);
    }

    TEST_CASE("another timeout begins the countdown anew, stops it, and winds up no clock that stands") {
        Policy policy = counting();
        CHECK_FALSE(policy.on_settings(start + 3s, 10s, {}).changed);
        CHECK(policy.remaining(start + 3s) == 7s);
        CHECK(policy.on_settings(start + 3s, 60s, {}).changed);
        CHECK(policy.wake_at() == start + 63s);
        CHECK(policy.on_settings(start + 4s, std::nullopt, {}).changed);
        CHECK(policy.phase() == Phase::idle);
        CHECK_FALSE(policy.on_settings(start + 5s, 0s, {}).boot);
        CHECK(policy.phase() == Phase::idle);

        Policy stopped = counting();
        stopped.on_cancel(start);
        CHECK_FALSE(stopped.on_settings(start, 0s, Strict{start + 1h}).boot);
        CHECK_FALSE(stopped.strict());

        Policy booting = counting();
        booting.on_time(start + 10s);
        CHECK_FALSE(booting.on_settings(start + 11s, 0s, {}).boot);
        CHECK(booting.phase() == Phase::handover);
        CHECK(booting.on_boot_failed(start + 12s, refused).boot == second.option);
    }

    TEST_CASE("before discovery has settled a clock that was off can be wound up, and strict mode asked for") {
        Policy policy(std::nullopt);
        policy.on_claims(start, defaults({first}));
        policy.on_settings(start, std::nullopt, Strict{start + 1h});
        CHECK(policy.strict());
        CHECK(policy.on_settled(start, true).boot == first.option);
    }
}
