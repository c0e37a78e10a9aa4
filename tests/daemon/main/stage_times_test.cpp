// SPDX-License-Identifier: Apache-2.0
#include "daemon/main/stage_times.hpp"

#include <doctest/doctest.h>

#include "tests/daemon/main/core_fixture.hpp"

using namespace stillboot;
using namespace std::chrono_literals;

namespace {

std::string text_of(const protocol::GetTimes::Reply& reply) {
    std::string text;
    for (const auto& stage : reply.stages) {
        text += stage.name + " " + std::to_string(stage.at_ms) + "\n";
    }
    return text;
}

std::vector<std::string> names(const protocol::Reply& reply) {
    std::vector<std::string> names;
    for (const auto& stage : reply.parameters.at("stages").as_array()) {
        names.emplace_back(stage.at("name").as_string());
    }
    return names;
}

}  // namespace

TEST_SUITE("core") {
    TEST_CASE("each stage of the start counts once, and of the hand-overs the last") {
        const StageTimes::Instant start{};
        StageTimes times(start, 2500ms);
        times.reach("started", start);
        times.reach("settled", start + 20ms);
        times.reach("settled", start + 30ms);
        times.begin_handover(start + 40ms);
        times.reach_step("fetch", start + 41ms);
        times.begin_handover(start + 50ms);
        times.reach_step("fetch", start + 51ms);
        times.reach_step("fetch", start + 60ms);
        times.reach_step("failed", start + 70ms);
        times.reach("decided", start + 45ms);
        CHECK(times.reply().boot_ms == 2500);
        CHECK(text_of(times.reply()) == "started 0\nsettled 20\ndecided 45\nhandover 50\nfetch 51\nfailed 70\n");
        CHECK(time_since_boot() > 0ms);
    }

    TEST_CASE_FIXTURE(test::CoreFixture, "the stages of a boot that fails are told") {
        core.on_settled(true);
        (void)call("Boot", {{"option", "a"}});
        handover::Event event;
        event.step = handover::Step::fetch;
        booter.events.on_event(event);
        booter.events.on_failed(Error("handover.cancelled"));
        const auto replier = call("GetTimes");
        CHECK(names(replier->replies.at(0)) ==
              std::vector<std::string>{"first-option", "decided", "handover", "fetch", "failed"});
        CHECK(replier->replies.at(0).parameters.at("boot_ms") == 1500);
    }
}
