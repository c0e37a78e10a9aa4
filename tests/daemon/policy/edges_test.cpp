// SPDX-License-Identifier: Apache-2.0
// Events that come when nobody expects them, each the shortest that the fuzzer (tests/fuzz/policy_fuzz.cpp) has
// shown.
#include <doctest/doctest.h>

#include "daemon/policy/policy.hpp"

using namespace std::chrono_literals;
using namespace stillboot::policy;
using stillboot::Message;

namespace {

const Instant start{};
// Longer than what a std::string holds in itself.
const Candidate first("nvme-0025-38b1-0001-4a53/grub/usual", "A");
const Candidate second("usb-0025-38b1-0002-4a53/bls/recovery", "B");
const Message failed("daemon.option_gone", {{"option", "x"}});
const Message by_configuration("daemon.by_configuration");
const Message by_saved("daemon.by_saved");

std::vector<Claim> said_by(const Message& who, std::vector<Candidate> names, std::chrono::seconds wait = 0s) {
    return {{who, wait, std::move(names)}};
}

std::vector<Claim> defaults(std::vector<Candidate> names) {
    return said_by(by_configuration, std::move(names));
}

Policy counting(std::vector<Claim> claims) {
    Policy policy(10s);
    policy.on_claims(start, std::move(claims));
    policy.on_settled(start, true);
    return policy;
}

}  // namespace

TEST_SUITE("policy") {
    TEST_CASE("what is booted again at once is the very option that was asked for") {
        Policy policy(0s);
        policy.on_claims(start, defaults({first}));
        policy.on_retry(second);
        CHECK(policy.on_settled(start, true).boot == second.option);
    }

    TEST_CASE(
        "in strict mode the failure of what a client chose before discovery has settled starts nothing yet") {
        Policy policy(0s, Strict{start + 600s, 0});
        policy.on_claims(start, defaults({first}));
        policy.on_boot(start, second);
        CHECK_FALSE(policy.on_boot_failed(start + 1s, failed).boot);
        CHECK(policy.phase() == Phase::discovering);
        CHECK(policy.why().code() == "daemon.why_discovering");
        CHECK(policy.on_settled(start + 2s, true).boot == first.option);
    }

    TEST_CASE("after a boot for which devices went, which of them is back first does not decide what boots") {
        for (const auto strict : {std::optional<Strict>(), std::optional(Strict{start + 600s, 0})}) {
            CAPTURE(strict.has_value());
            Policy policy(0s, strict);
            policy.on_claims(start, defaults({first, second}));
            CHECK(policy.on_settled(start, true).boot == first.option);
            policy.on_claims(start + 1s, defaults({}));
            const Actions failing = policy.on_boot_failed(start + 2s, failed, true);
            CHECK_FALSE(failing.boot);
            CHECK_FALSE(failing.ended);
            CHECK(policy.phase() == Phase::discovering);
            CHECK(policy.why().code() == "daemon.why_looking_again");
            const Candidate third("sata-1/grub/other", "C");
            CHECK_FALSE(policy.on_claims(start + 3s, defaults({third})).boot);
            policy.on_claims(start + 4s, defaults({first, second, third}));
            CHECK(policy.on_settled(start + 5s, true).boot == second.option);
        }
    }

    TEST_CASE(
        "a boot for which devices went leaves the clock as it was: stopped by a client, limited when strict") {
        Policy chosen = counting(defaults({first, second}));
        chosen.on_boot(start, second);
        chosen.on_boot_failed(start + 1s, failed, true);
        CHECK_FALSE(chosen.on_settled(start + 2s, true).boot);
        CHECK(chosen.phase() == Phase::idle);
        CHECK(chosen.why().code() == "daemon.why_chosen_failed");
        Policy late(0s, Strict{start + 10s, 3});
        late.on_claims(start, defaults({first, second}));
        late.on_settled(start, true);
        late.on_boot_failed(start + 1s, failed, true);
        CHECK(late.on_time(start + 10s).ended);
    }

    TEST_CASE("what keeps taking the machine down stops the clock, and in strict mode comes last in its round") {
        Policy policy(0s);
        policy.on_claims(start, defaults({first, second}));
        policy.on_deaths(start, first.option);
        CHECK_FALSE(policy.on_settled(start, true).boot);
        Policy strict(0s, Strict{start + 600s, 0});
        strict.on_claims(start, defaults({first, second}));
        strict.on_deaths(start, first.option);
        CHECK(strict.on_settled(start, true).boot == second.option);
        CHECK(strict.on_boot_failed(start + 1s, failed).ended);
    }

    TEST_CASE("an earlier death stops no boot that a client asked for meanwhile") {
        Policy policy(0s);
        policy.on_claims(start, defaults({first, second}));
        CHECK(policy.on_boot(start, second).boot == second.option);
        CHECK_FALSE(policy.on_deaths(start, first.option).cancel_boot);
        CHECK(policy.phase() == Phase::handover);
        policy.on_boot_failed(start + 1s, failed);
        CHECK_FALSE(policy.on_settled(start + 2s, true).boot);
    }

    TEST_CASE("strict mode that is asked for where nothing is left to boot begins at the next start") {
        Policy policy(0s);
        policy.on_claims(start, defaults({first}));
        CHECK(policy.on_settled(start, true).boot == first.option);
        policy.on_boot_failed(start + 1s, failed);
        REQUIRE(policy.phase() == Phase::idle);
        const Actions actions = policy.on_settings(start + 2s, 0s, Strict{start + 1s, 3});
        CHECK_FALSE(actions.ended);
        CHECK_FALSE(actions.boot);
        CHECK_FALSE(policy.strict());
        CHECK(policy.phase() == Phase::idle);
        CHECK_FALSE(policy.wake_at());
        policy.on_settings(start + 3s, 7s, Strict{start + 1s, 3});
        policy.on_claims(start + 4s, defaults({first, second}));
        CHECK(policy.target() == second);
        CHECK(policy.remaining(start + 4s) == 7s);
    }

    TEST_CASE("what is to be tried again does not run a clock that a person has stopped") {
        Policy policy(10s);
        policy.on_cancel(start);
        policy.on_retry(first);
        CHECK_FALSE(policy.clock_runs());
        Policy off(std::nullopt);
        CHECK_FALSE(off.clock_runs());
        off.on_retry(first);
        CHECK(off.clock_runs());
    }

    TEST_CASE("fewer rounds than were made already are enough") {
        Policy policy(0s, Strict{start + 24h, 3});
        policy.on_claims(start, defaults({first}));
        policy.on_settled(start, true);
        for (int round = 0; round < 2; ++round) {
            policy.on_boot_failed(start, failed);
            CHECK(policy.on_time(*policy.wake_at()).boot == first.option);
        }
        CHECK_FALSE(policy.on_settings(start, 0s, Strict{start + 24h, 1}).ended);  // a boot is under way
        CHECK(policy.on_boot_failed(start, failed).ended);
    }

    TEST_CASE("who has stopped a clock that was off has stopped it, whatever comes") {
        Policy again(std::nullopt);
        again.on_claims(start, defaults({first}));
        again.on_retry(second);
        CHECK(again.on_cancel(start).changed);
        CHECK(again.why().code() == "daemon.why_never");
        CHECK_FALSE(again.on_settled(start, true).boot);
        CHECK(again.phase() == Phase::idle);
        CHECK(again.why().code() == "daemon.why_never");

        Policy wound_up(std::nullopt);
        wound_up.on_claims(start, defaults({first}));
        wound_up.on_cancel(start);
        CHECK_FALSE(wound_up.on_settings(start, 0s, {}).changed);
        CHECK_FALSE(wound_up.on_settled(start, true).boot);

        Policy recovered(std::nullopt);
        recovered.on_recovering();
        recovered.on_cancel(start);
        recovered.on_recovered(first.option, failed);
        CHECK(recovered.why().code() == "daemon.why_never");
    }

    TEST_CASE("a countdown begins anew where nobody says so any more, and goes on where another is beaten") {
        Policy policy = counting(said_by(by_saved, {first}));
        CHECK(policy.on_claims(start + 4s, defaults({first})).changed);
        CHECK(policy.by() == by_configuration);
        CHECK(policy.wake_at() == start + 14s);
        auto more = defaults({first});
        more.push_back({by_saved, 0s, {second}});
        CHECK(policy.on_claims(start + 5s, more).changed);
        CHECK(policy.wake_at() == start + 14s);
        CHECK(policy.beaten() == std::vector<Beaten>{{by_saved, second}});
        CHECK_FALSE(policy.on_claims(start + 6s, more).changed);
    }

    TEST_CASE("a choice of what is counted down for anyway leaves the countdown alone") {
        Policy policy = counting(defaults({first, second}));
        CHECK_FALSE(policy.on_choice(start + 4s, defaults({first})).changed);
        CHECK(policy.wake_at() == start + 10s);
        CHECK(policy.on_choice(start + 4s, said_by(by_saved, {first})).changed);
        CHECK(policy.by() == by_saved);
        CHECK(policy.wake_at() == start + 14s);
        CHECK(policy.on_choice(start + 5s, said_by(by_saved, {}, 60s)).changed);
        CHECK(policy.phase() == Phase::waiting);
    }

    TEST_CASE("why nothing boots any more is still said when discovery settles") {
        Policy over(10s, Strict{start + 5s, 0});
        CHECK(over.on_time(start + 5s).ended);
        over.on_settled(start + 6s, true);
        CHECK(over.phase() == Phase::idle);
        CHECK(over.why().code() == "daemon.why_limit");

        Policy chosen(10s);
        chosen.on_boot(start, first);
        chosen.on_boot_failed(start + 1s, failed);
        CHECK(chosen.phase() == Phase::discovering);
        CHECK_FALSE(chosen.on_settled(start + 2s, true).boot);
        CHECK(chosen.why().code() == "daemon.why_chosen_failed");
    }

    TEST_CASE("clients see that strict mode has begun or ended") {
        Policy waiting(0s);
        waiting.on_claims(start, said_by(by_saved, {}, 60s));
        waiting.on_settled(start, true);
        CHECK(waiting.on_settings(start + 1s, 0s, Strict{start + 600s, 1}).changed);
        CHECK(waiting.phase() == Phase::waiting);

        Policy booting(0s, Strict{start + 600s, 1});
        booting.on_claims(start, defaults({first}));
        booting.on_settled(start, true);
        const Actions cancelled = booting.on_cancel(start + 1s);
        CHECK(cancelled.cancel_boot);
        CHECK(cancelled.changed);
        CHECK_FALSE(booting.strict());
    }

    TEST_CASE("a client's boot in strict mode that ends meanwhile is not followed") {
        Policy policy(0s, Strict{start + 600s, 1});
        policy.on_settled(start, true);
        policy.on_boot(start, second);
        policy.on_settings(start, 0s, {});
        CHECK_FALSE(policy.on_boot_failed(start + 1s, failed).boot);
        CHECK_FALSE(policy.on_claims(start + 2s, defaults({first})).boot);
        CHECK(policy.why().code() == "daemon.why_chosen_failed");
    }

    TEST_CASE("the pauses of strict mode grow to an end") {
        Policy policy(0s, Strict{start + 24h, 8});
        policy.on_claims(start, defaults({first}));
        CHECK(policy.on_settled(start, true).boot);
        std::vector<std::chrono::seconds> pauses;
        Instant now = start;
        while (!policy.on_boot_failed(now, failed).ended) {
            pauses.push_back(std::chrono::duration_cast<std::chrono::seconds>(*policy.wake_at() - now));
            now = *policy.wake_at();
            CHECK(policy.on_time(now).boot == first.option);
        }
        CHECK(pauses == std::vector<std::chrono::seconds>{10s, 20s, 40s, 80s, 160s, 320s, 320s, 320s});
    }

    TEST_CASE("a rule that comes during the pause of strict mode is waited for, and the pause begins anew") {
        Policy policy(0s, Strict{start + 24h, 1});
        policy.on_claims(start, defaults({first}));
        policy.on_settled(start, true);
        policy.on_boot_failed(start, failed);
        auto claims = said_by(by_saved, {}, 5s);
        claims.push_back(defaults({first}).front());
        CHECK(policy.on_claims(start + 1s, claims).changed);
        CHECK(policy.why().code() == "daemon.why_waiting");
        CHECK(policy.wake_at() == start + 5s);
        claims.front().wait = 8s;
        CHECK(policy.on_claims(start + 2s, claims).changed);
        CHECK(policy.wake_at() == start + 8s);
        CHECK(policy.on_time(start + 8s).changed);
        CHECK(policy.why().code() == "daemon.why_backing_off");
        CHECK(policy.on_time(start + 18s).boot == first.option);
        CHECK(policy.on_boot_failed(start + 19s, failed).ended);
    }

    TEST_CASE("a rule that names another now gives up what it was counted down for") {
        Policy policy = counting(said_by(by_saved, {first}));
        CHECK(policy.on_claims(start + 4s, said_by(by_saved, {second})).changed);
        CHECK(policy.target() == second);
        CHECK_FALSE(counting({}).remaining(start));
    }
}
