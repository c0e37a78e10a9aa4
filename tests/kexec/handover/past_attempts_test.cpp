// SPDX-License-Identifier: Apache-2.0
// The list of attempts: what is put into it when, and what a store keeps of it.
#include "kexec/handover/past_attempts.hpp"

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <functional>

#include "kexec/handover/record_json.hpp"
#include "kexec/handover/state.hpp"
#include "tests/kexec/handover/recording_ports.hpp"

using namespace stillboot;
using namespace stillboot::handover;
using namespace stillboot::handover::test;
using End = PastAttempt::End;

namespace {

PastAttempt ended(const std::string& option, End end, std::int64_t when = 5) {
    PastAttempt out;
    out.option_id = option;
    out.title = option;
    out.when = when;
    out.end = end;
    return out;
}

/// A machine with a state store.
struct Remembering : Bench {
    Remembering() {
        durable = std::make_unique<MemoryStore>(script);
        request.by = "the clock: the default";
    }
    [[nodiscard]] PastAttempts remembered() const { return state_from_text(*durable->contents).value().attempts; }
    /// What another kernel finds out, after this one has gone down or jumped.
    PastAttempts look_back_from_next_kernel(bool watchdog_fired = false) {
        REQUIRE(look_back(*durable, "the next boot", watchdog_fired));
        return remembered();
    }
    /// A power cut after the last of those writes that were such.
    void cut_after(const std::function<bool(const Record&)>& such) {
        (void)run();
        std::optional<std::string> left;
        for (const std::string& text : durable->written) {
            const auto attempt = state_from_text(text).value().attempt;
            if (attempt && such(*attempt)) {
                left = text;
            }
        }
        REQUIRE(left);
        durable->contents = left;
    }
    void cut_at(Step step) {
        cut_after([&](const Record& record) { return record.step == step; });
    }
};

}  // namespace

TEST_SUITE("handover") {
    TEST_CASE("the newest attempts are kept, the newest first, each text within its bounds") {
        PastAttempts list;
        for (int i = 0; i < 20; ++i) {
            remember(list, ended(std::to_string(i), End::failed));
        }
        REQUIRE(list.size() == max_past_attempts);
        CHECK(list.front().option_id == "19");
        CHECK(list.back().option_id == "4");

        PastAttempt wordy = ended("x", End::failed);
        wordy.title = std::string(159, 'a') + "\u00fc\u00fc";
        wordy.reason = std::string(1000, 'r');
        remember(list, wordy);
        CHECK(list.front().title == std::string(159, 'a'));  // not half a character
        CHECK(list.front().reason.size() == 400);
    }

    TEST_CASE("an end goes to the attempt that is under way, once") {
        PastAttempts list;
        PastAttempt begun = ended("a", End::under_way, 7);
        begun.by = "user 0";
        begun.counted = true;
        remember(list, begun);
        settle(list, ended("a", End::jumped, 7));
        REQUIRE(list.size() == 1);
        CHECK(list[0].end == End::jumped);
        CHECK(list[0].by == "user 0");
        CHECK(list[0].counted);
        settle(list, ended("a", End::went_down, 7));  // told again
        CHECK(list.size() == 1);
        CHECK(list[0].end == End::jumped);
        settle(list, ended("a", End::failed, 9));
        settle(list, ended("b", End::failed, 9));
        CHECK(list.size() == 3);
    }

    TEST_CASE("the list comes back from its JSON, and a store of before it has an empty one") {
        PastAttempts list;
        for (const End end : {End::under_way, End::jumped, End::failed, End::cancelled, End::cut_off,
                              End::went_down, End::restarted, End::watchdog}) {
            PastAttempt each = ended("a", end, 1'700'000'000);
            each.by = "user 0";
            each.step = "load";
            each.reason = "because";
            each.counted = end == End::jumped;
            remember(list, each);
        }
        State state;
        state.attempts = list;
        CHECK(state_from_text(to_text(state)).value() == state);
        CHECK(state_from_text(R"({"format":1,"learned":[],"attempt":null})").value().attempts.empty());

        const auto read = [](const char* text) {
            return past_attempts_in(boost::json::parse(text).as_object(), "attempts").size();
        };
        CHECK(read(R"({"attempts":1})") == 0);
        CHECK(read(R"({"attempts":[1,{},{"end":"flown","when":1},{"end":"failed"},{"end":"failed","when":1}]})") ==
              1);
        std::string many = R"({"attempts":[)";
        for (int i = 0; i < 40; ++i) {
            many += std::string(i == 0 ? "" : ",") + R"({"end":"failed","when":1})";
        }
        CHECK(read((many + "]}").c_str()) == max_past_attempts);
    }

    TEST_CASE(
        "what fails before the commit and after it, and what is stopped, is remembered with its step and reason") {
        Remembering before;
        before.script.fail = "fetch /one";
        Outcome outcome = before.run();
        const PastAttempt noted = note_ended(before.ports(), before.request, outcome);
        REQUIRE(before.remembered().size() == 1);
        CHECK(before.remembered()[0] == noted);
        CHECK(before.remembered()[0].end == End::failed);
        CHECK(before.remembered()[0].step == "fetch");
        CHECK(before.remembered()[0].reason == outcome.failure->sentence());
        CHECK(before.remembered()[0].by == "the clock: the default");

        Remembering after;
        after.script.fail = "load";
        outcome = after.run();
        (void)note_ended(after.ports(), after.request, outcome);
        REQUIRE(after.remembered().size() == 1);
        CHECK(after.remembered()[0].end == End::failed);
        CHECK(after.remembered()[0].step == "load");

        Remembering stopped;
        stopped.script.stop_at = "unbind eth0";
        outcome = stopped.run();
        (void)note_ended(stopped.ports(), stopped.request, outcome);
        REQUIRE(stopped.remembered().size() == 1);
        CHECK(stopped.remembered()[0].end == End::cancelled);
        CHECK(stopped.remembered()[0].reason.empty());
    }

    TEST_CASE("one that another hand-over held off is none, and without a store it is only answered") {
        Remembering bench;
        Outcome outcome;
        outcome.failure = Error("handover.busy");
        (void)note_ended(bench.ports(), bench.request, outcome);
        CHECK_FALSE(bench.durable->contents);
        bench.durable.reset();
        outcome.failure = Error("test.failed", {{"at", "x"}});
        CHECK(note_ended(bench.ports(), bench.request, outcome).end == End::failed);
    }

    TEST_CASE("a store that fails is told in the journal") {
        Remembering bench;
        bench.durable->fails = true;
        Outcome outcome;
        outcome.failure = Error("test.failed", {{"at", "x"}});
        (void)note_ended(bench.ports(), bench.request, outcome);
        REQUIRE(bench.journal.lines.size() == 1);
    }

    TEST_CASE("the next kernel knows whether it jumped, went down on the way, or was restarted by a watchdog") {
        Remembering jumped;
        jumped.cut_at(Step::jump);
        auto list = jumped.look_back_from_next_kernel();
        REQUIRE(list.size() == 1);
        CHECK(list[0].end == End::jumped);
        CHECK(list[0].title == "Debian");
        CHECK(list[0].by == "the clock: the default");

        Remembering down;
        down.cut_at(Step::unbind);
        list = down.look_back_from_next_kernel();
        REQUIRE(list.size() == 1);
        CHECK(list[0].end == End::went_down);
        CHECK(list[0].step == "unbind");

        Remembering guarded;
        guarded.options.watchdog = std::chrono::seconds(60);
        guarded.cut_at(Step::jump);
        list = guarded.look_back_from_next_kernel(true);
        REQUIRE(list.size() == 1);
        CHECK(list[0].end == End::watchdog);
    }

    TEST_CASE("a machine that is restarted to try again says so, and a daemon that was ended in the middle does") {
        Remembering hanging;
        hanging.quiescer.hangs = "eth0";
        hanging.cut_after([](const Record& record) { return record.retry; });
        const auto list = hanging.look_back_from_next_kernel();
        REQUIRE(list.size() == 1);
        CHECK(list[0].end == End::restarted);

        Remembering cut;
        cut.cut_at(Step::unbind);
        cut.store.contents = cut.store.written.back();
        REQUIRE(recover(cut.ports()));
        REQUIRE(cut.remembered().size() == 1);
        CHECK(cut.remembered()[0].end == End::cut_off);
        CHECK(cut.remembered()[0].by == "the clock: the default");
    }

    TEST_CASE("one that was cut off before the store knew of it is in the list, too") {
        Remembering cut;
        (void)cut.run();
        cut.durable->contents.reset();
        cut.store.contents = cut.store.written.front();
        REQUIRE(record_from_text(*cut.store.contents)->step == Step::trial_load);
        REQUIRE(recover(cut.ports()));
        REQUIRE(cut.remembered().size() == 1);
        CHECK(cut.remembered()[0].end == End::cut_off);
        CHECK(cut.remembered()[0].step == "trial-load");
    }
}
