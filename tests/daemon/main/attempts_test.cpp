// SPDX-License-Identifier: Apache-2.0
// The last attempts, from the store and since the start.
#include "tests/daemon/main/core_fixture.hpp"

using namespace stillboot;
using namespace stillboot::test;
using End = handover::PastAttempt::End;

namespace {

struct Fixture : CoreFixture {
    boost::json::array attempts() {
        return call("ListAttempts", {}, false, user_peer)->replies.at(0).parameters.at("attempts").as_array();
    }
    static handover::PastAttempt attempt(const std::string& option, End end, bool counted = false) {
        handover::PastAttempt out;
        out.option_id = "pci-1/grub/" + option;
        out.title = option;
        out.when = 1'700'000'000;
        out.end = end;
        out.counted = counted;
        return out;
    }
};

}  // namespace

TEST_SUITE("core") {
    TEST_CASE_FIXTURE(Fixture, "attempts of the store stand behind those since the start, for whoever may look") {
        CHECK(attempts().empty());
        handover::Past past;
        past.attempts = {attempt("a", End::went_down)};
        core.on_past(past);
        (void)call("Boot", {{"option", "b"}});
        CHECK(booter.requests.at(0).by == "user 0 (process 1)");
        auto failed = attempt("b", End::failed);
        failed.by = booter.requests[0].by;
        failed.step = "load";
        failed.reason = "no memory";
        booter.events.on_ended(failed);
        booter.events.on_failed(Error("handover.cancelled"));
        const auto list = attempts();
        REQUIRE(list.size() == 2);
        CHECK(boost::json::serialize(list[0]) ==
              R"x({"option":"pci-1/grub/b","title":"b","time_s":1700000000,"by":"user 0 (process 1)",)x"
              R"("end":"failed","step":"load","reason":"no memory"})");
        CHECK(list[1].at("end") == "went_down");
    }

    TEST_CASE_FIXTURE(Fixture, "what boots by itself says by which claim") {
        settings.set("boot", "id=*", false, [](const Result<void>& set) { REQUIRE(set); });
        settings.set("timeout", "0", false, [](const Result<void>& set) { REQUIRE(set); });
        core.on_settled(true);
        CHECK(booter.requests.at(0).by == "what the rule id=* names (boot, this start only)");
    }

    TEST_CASE_FIXTURE(Fixture, "the newest jump to an entry that has lost its counters since was good") {
        handover::Past past;
        past.attempts = {attempt("a", End::jumped, true), attempt("a", End::jumped, true),
                         attempt("b", End::jumped, false), attempt("gone", End::jumped, true)};
        core.on_past(past);
        const auto list = attempts();
        REQUIRE(list.size() == 4);
        CHECK(list[0].at("end") == "good");
        CHECK(list[1].at("end") == "jumped");
        CHECK(list[2].at("end") == "jumped");
        CHECK(list[3].at("end") == "jumped");
    }

    TEST_CASE_FIXTURE(Fixture, "an entry that still counts has not been blessed") {
        ScanResult result;
        BootOption counted = option("a", "");
        counted.tries = BootTries{2, 1};
        result.finding = std::vector<BootOption>{counted};
        registry.set_result("pci-1", result);
        handover::Past past;
        past.attempts = {attempt("a", End::jumped, true)};
        core.on_past(past);
        CHECK(attempts().at(0).at("end") == "jumped");
    }
}
