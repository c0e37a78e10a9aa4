// SPDX-License-Identifier: Apache-2.0
#include "kexec/handover/plan.hpp"

#include <doctest/doctest.h>

#include "kexec/handover/record.hpp"

using namespace stillboot;
using namespace stillboot::handover;

namespace {

Request some_request() {
    Request request;
    request.kernel.node = "/dev/vda1";
    request.kernel.path = "/vmlinuz";
    request.initrds.resize(1);
    request.initrds[0].url = "https://host/initrd";
    request.command_line = "quiet";
    return request;
}

std::vector<std::string> words(const Plan& plan) {
    std::vector<std::string> list;
    for (const PlannedStep& step : plan.steps) {
        list.emplace_back(to_word(step.step));
    }
    return list;
}

}  // namespace

TEST_SUITE("handover") {
    TEST_CASE("the plan reads as sentences in the order in which they are carried out") {
        CHECK(make_plan(some_request(), {}, {}).text() ==
              std::vector<std::string>{
                  "1. fetch: bring /vmlinuz on /dev/vda1, https://host/initrd into memory",
                  "2. verify: verify signatures: none is asked for in this build",
                  "3. measure: measure: nothing is measured in this build",
                  "4. unwrap: recognise and unwrap the kernel, and check the command line",
                  "5. trial-load: load the kernel on trial and unload it",
                  "6. memory: check that memory suffices for the load",
                  "7. commit: write the record of this hand-over",
                  "8. take-down: stop our helpers and let go of every disk",
                  "9. unbind: unbind 0 devices in remove order and keep 0",
                  "10. check: check that no device moves, and refuse the jump otherwise",
                  "11. load: load the kernel for good, with: quiet",
                  "12. jump: jump into the loaded kernel",
              });
    }

    TEST_CASE("hooks are steps of the plan where there are any, and of a boot alone") {
        Situation situation;
        situation.before_boot = {"10-ask", "20-look"};
        situation.before_quiesce = {"save"};
        const auto lines = make_plan(some_request(), {}, situation).text();
        REQUIRE(lines.size() == 14);
        CHECK(lines[0] == "1. before-boot: run the hooks 10-ask, 20-look");
        CHECK(lines[8] == "9. before-quiesce: run the hooks save");
        Options options;
        options.goal = Options::Goal::load_only;
        CHECK(words(make_plan(some_request(), options, situation)).front() == "fetch");
    }

    TEST_CASE("the trial is left out where its calls would use up the limit") {
        CHECK(trial_wanted(Trial::automatic, std::nullopt));
        CHECK(trial_wanted(Trial::automatic, 3));
        CHECK_FALSE(trial_wanted(Trial::automatic, 2));
        CHECK(trial_wanted(Trial::always, 0));
        CHECK_FALSE(trial_wanted(Trial::never, std::nullopt));
    }

    TEST_CASE("loading before the take-down and loading alone change the order, and nothing else") {
        Options options;
        options.load_when = Options::LoadWhen::before_take_down;
        CHECK(words(make_plan(some_request(), options, {})) ==
              std::vector<std::string>{"fetch", "verify", "measure", "unwrap", "trial-load", "memory", "commit",
                                       "load", "take-down", "unbind", "check", "jump"});
        options.watchdog = std::chrono::seconds(90);
        const Plan guarded = make_plan(some_request(), options, {});
        CHECK(guarded.text().at(11) == "12. watchdog: arm a hardware watchdog, for 90 s");
        CHECK(guarded.steps.at(12).step == Step::jump);
        options = {};
        options.watchdog = std::chrono::seconds(90);
        options.goal = Options::Goal::load_only;
        CHECK(words(make_plan(some_request(), options, {})) ==
              std::vector<std::string>{"fetch", "verify", "measure", "unwrap", "memory", "load"});
    }

    TEST_CASE("every step has a word, and the word leads back") {
        for (int number = 0; number <= static_cast<int>(Step::undo); ++number) {
            const Step step = static_cast<Step>(number);
            CHECK_FALSE(to_word(step).empty());
            CHECK(step_from_word(to_word(step)) == step);
        }
        CHECK_FALSE(step_from_word("nonsense").has_value());
    }

    TEST_CASE("a record comes back as it was written") {
        Record record;
        record.boot_id = "b";
        record.option_id = "o";
        record.title = "T \"quoted\"";
        record.command_line = "a=\n";
        record.step = Step::unbind;
        record.devices.boot_id = "b";
        record.watchdog = true;
        record.began = 1'700'000'000;
        CHECK(record_from_text(to_text(record)).value() == record);
    }

    TEST_CASE("a damaged record is named so, a newer one is left alone") {
        Record record;
        record.boot_id = "b";
        const std::string whole = to_text(record);
        for (std::size_t length = 0; length < whole.size(); ++length) {
            CHECK_FALSE(record_from_text(std::string_view(whole).substr(0, length)).has_value());
        }
        for (const char* text : {"[]", "{}", "{\"format\":0}", "{\"format\":\"1\"}", "{\"format\":1}"}) {
            CHECK(record_from_text(text).error().code() == "handover.record_damaged");
        }
        CHECK(record_from_text("{\"format\":2}").error().sentence() ==
              "the record of the last hand-over was written by a newer version (format 2): it is left alone");
    }
}
