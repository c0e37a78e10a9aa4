// SPDX-License-Identifier: Apache-2.0
#include "kexec/handover/state.hpp"
#include "kexec/handover/report.hpp"

#include <doctest/doctest.h>

#include "tests/kexec/handover/hanging.hpp"
#include "tests/kexec/handover/recording_ports.hpp"

using namespace stillboot;
using namespace stillboot::handover;
using namespace stillboot::handover::test;
using quiesce::Learned;

namespace {

using Lines = std::vector<std::string>;

Lines sentences(const std::vector<Message>& messages) {
    Lines out;
    for (const Message& message : messages) {
        out.push_back(message.sentence());
    }
    return out;
}

Learned seen(const std::string& driver, Learned::Why why, unsigned times = 1) {
    Learned learned;
    learned.driver = driver;
    learned.bus = "pci";
    learned.device = "0000:01:00.0";
    learned.why = why;
    learned.times = times;
    return learned;
}

/// An attempt of another boot that was unbinding two devices.
State unbinding() {
    State state;
    Record record;
    record.boot_id = "an earlier boot";
    record.option_id = "disk/grub/debian";
    record.title = "Debian";
    record.command_line = "quiet";
    record.step = Step::unbind;
    record.began = 1'700'000'000;
    for (const std::string name : {"eth0", "nvme0"}) {
        quiesce::RecordedDevice device;
        device.path = "/sys/devices/" + name;
        device.name = name;
        device.bus = "pci";
        device.driver = name + "_driver";
        record.devices.unbound.push_back(device);
    }
    record.devices.in_flight = {"/sys/devices/nvme0"};
    state.attempt = record;
    return state;
}

const std::string went_up_to_the_jump =
    "the last hand-over, to \"Debian\" at 2023-11-14 22:13:20 UTC, had let go of every device: whether its system "
    "came up is not known here";

LookBack look_back_at(MemoryStore& store) {
    auto found = look_back(store, "this boot", false);
    REQUIRE(found);
    CHECK_FALSE(read_state(store)->attempt);  // it is told once
    return std::move(*found);
}

}  // namespace

TEST_SUITE("handover") {
    TEST_CASE("the state comes back from its text, and damage and later versions are told") {
        State state = unbinding();
        state.report.emplace().from_boot = "earlier";
        state.choices = {Choice{"disk/bls/a", "A"}, Choice{"disk/bls/b", "B"}};
        state.attempt->one_shot = Choice{"disk/grub/debian", "Debian"};
        state.learned = {seen("ixgbe", Learned::Why::hung), seen("e1000", Learned::Why::crashed, 3),
                         seen("nvme", Learned::Why::died)};
        CHECK(state_from_text(to_text(state)).value() == state);
        CHECK(state_from_text(to_text(State())).value() == State());
        CHECK(state_from_text("{\"format\":2}").error().sentence() ==
              "the state store was written by a newer version (format 2): it is left alone");
        const std::string text = to_text(state);
        for (std::size_t length = 0; length < text.size(); ++length) {
            CHECK_FALSE(state_from_text(text.substr(0, length)));
        }
        for (const std::string bad : {"[]", "{}", "{\"format\":1,\"learned\":[1],\"attempt\":null}",
                                      "{\"format\":1,\"learned\":[],\"attempt\":{}}"}) {
            CHECK_FALSE(state_from_text(bad));
        }
    }

    TEST_CASE("drivers are learned once each, and a hang outweighs having been there") {
        std::vector<Learned> known;
        learn(known, seen("ixgbe", Learned::Why::died));
        CHECK_FALSE(known.front().is_kept());
        learn(known, seen("ixgbe", Learned::Why::died));
        CHECK(known == std::vector<Learned>{seen("ixgbe", Learned::Why::died, 2)});
        CHECK(known.front().is_kept());
        learn(known, seen("ixgbe", Learned::Why::hung));
        learn(known, seen("ixgbe", Learned::Why::died));
        CHECK(known == std::vector<Learned>{seen("ixgbe", Learned::Why::hung, 4)});
        CHECK(known.front().message().sentence() ==
              "ixgbe (pci) is left alone: its unbind hung, seen with 0000:01:00.0");
    }

    TEST_CASE("a machine that went down while it unbound is told, and what was under way is suspect") {
        Script script;
        MemoryStore store(script);
        store.contents = to_text(unbinding());
        const LookBack found = look_back_at(store);
        CHECK_FALSE(found.retry);
        CHECK(
            sentences(found.notes) ==
            Lines{
                "the hand-over to \"Debian\" ended at the step unbind, with the machine",
                "the machine went down while nvme0_driver (pci) was let go of, among others perhaps; times seen: "
                "1, last with nvme0"});
        CHECK(read_state(store)->learned.size() == 1);
        CHECK(sentences(look_back_at(store).notes).empty());
        store.contents = to_text(unbinding());
        State again = read_state(store).value();
        again.learned = {seen("nvme0_driver", Learned::Why::died)};
        REQUIRE(write_state(store, again));
        (void)look_back_at(store);
        CHECK(read_state(store)->learned.front().is_kept());
    }

    TEST_CASE("an attempt at each step tells what is known of it") {
        const std::pair<Step, std::string_view> rows[] = {
            {Step::commit, "handover.died"}, {Step::take_down, "handover.died"}, {Step::unbind, "handover.died"},
            {Step::check, "handover.died"},  {Step::load, "handover.died"},      {Step::jump, "handover.let_go"}};
        for (const auto& [step, code] : rows) {
            CAPTURE(to_word(step));
            Script script;
            MemoryStore store(script);
            State state = unbinding();
            state.attempt->step = step;
            state.attempt->devices.in_flight.clear();
            store.contents = to_text(state);
            const LookBack found = look_back_at(store);
            REQUIRE(found.notes.size() == 1);
            CHECK(found.notes.front().code() == code);
            CHECK(read_state(store)->learned.empty());
            // The store's own devices had gone: it may well have jumped.
            state.attempt->store_gone = true;
            store.contents = to_text(state);
            CHECK(sentences(look_back_at(store).notes) == Lines{went_up_to_the_jump});
        }
    }

    TEST_CASE("an option that takes the machine down three times in a row boots no more by itself") {
        Script script;
        MemoryStore store(script);
        const auto die = [&](const std::string& option) {
            State state = read_state(store).value();
            state.attempt = unbinding().attempt;
            state.attempt->option_id = option;
            store.contents = to_text(state);
            return look_back_at(store);
        };
        CHECK_FALSE(die("a").hold);
        CHECK_FALSE(die("a").hold);
        CHECK_FALSE(die("b").hold);
        CHECK_FALSE(die("a").hold);
        CHECK_FALSE(die("a").hold);
        const LookBack third = die("a");
        CHECK(third.hold);
        CHECK(third.notes.back().sentence() ==
              "the system went down 3 times in a row on the way to \"Debian\": in strict mode everything else is "
              "tried first, and otherwise nothing boots by itself now");
        State arrived = read_state(store).value();
        arrived.attempt = unbinding().attempt;
        arrived.attempt->store_gone = true;
        store.contents = to_text(arrived);
        CHECK_FALSE(look_back_at(store).hold);
        CHECK(read_state(store)->deaths == Deaths());
    }

    TEST_CASE("a restart that was meant to try again does so, with the next number, until there were enough") {
        Script script;
        MemoryStore store(script);
        State state = unbinding();
        state.attempt->retry = true;
        store.contents = to_text(state);
        LookBack found = look_back_at(store);
        REQUIRE(found.retry);
        CHECK(found.retry->option_id == "disk/grub/debian");
        CHECK(found.retry->command_line == "quiet");
        CHECK(found.retry->attempt == 2);
        CHECK(
            sentences(found.notes) ==
            Lines{
                "the machine was restarted to boot \"Debian\" again (attempt 2 of 4), with the driver that failed "
                "left alone"});
        CHECK(read_state(store)->learned.empty());  // what hung was learnt before the restart
        state.attempt->attempt = max_attempts;
        store.contents = to_text(state);
        found = look_back_at(store);
        CHECK_FALSE(found.retry);
        CHECK(sentences(found.notes) == Lines{"\"Debian\" was not booted in 4 attempts: a driver failed in each"});
    }

    TEST_CASE("a watchdog that restarted the machine after a jump that it guarded is told with the attempt") {
        Script script;
        MemoryStore store(script);
        State state = unbinding();
        state.attempt->step = Step::watchdog;
        state.attempt->store_gone = true;
        for (const bool guarded : {true, false}) {
            for (const bool fired : {true, false}) {
                state.attempt->watchdog = guarded;
                store.contents = to_text(state);
                const auto found = look_back(store, "this boot", fired);
                REQUIRE(found);
                CHECK(sentences(found->notes) ==
                      (guarded && fired
                           ? Lines{"after the jump to \"Debian\" at 2023-11-14 22:13:20 UTC the watchdog "
                                   "restarted the machine: its system did not come up, or hung later"}
                           : Lines{went_up_to_the_jump}));
            }
        }
    }

    TEST_CASE("an attempt of this boot, an empty store and one that fails are left alone") {
        Script script;
        MemoryStore store(script);
        CHECK(look_back(store, "this boot", false)->notes.empty());
        State state = unbinding();
        state.attempt->boot_id = "this boot";
        store.contents = to_text(state);
        CHECK(look_back(store, "this boot", false)->notes.empty());
        CHECK(read_state(store)->attempt);
        store.damaged = {Message("state.copy_damaged", {{"copy", "file stillboot.1"}})};
        CHECK(sentences(look_back(store, "this boot", false)->notes) ==
              Lines{"the state store's file stillboot.1 is damaged: the other copy is used"});
        store.fails = true;
        CHECK(look_back(store, "this boot", false).error().code() == "state.hangs");
    }

    TEST_CASE("a store that takes no write still tells what was chosen and set") {
        Script script;
        MemoryStore store(script);
        State state = unbinding();
        state.choices.one_shot = Choice{"disk/grub/debian", "Debian"};
        state.settings = {{"strict", "true"}};
        store.contents = to_text(state);
        store.limit = 10;
        const auto found = look_back(store, "this boot", false);
        REQUIRE(found);
        CHECK(found->state.choices == state.choices);
        CHECK(found->state.settings == state.settings);
        REQUIRE_FALSE(found->notes.empty());
        CHECK(found->notes.back().code() == "state.too_large");
    }

    TEST_CASE("after a hang the driver is remembered and the machine restarted, before anything is undone") {
        Hanging bench;
        const Outcome outcome = bench.run();
        CHECK(outcome.failure->code() == "quiesce.hung");
        const auto& calls = bench.script.calls;
        const auto restart = std::find(calls.begin(), calls.end(), "restart");
        REQUIRE(restart != calls.end());
        CHECK(restart < std::find(calls.begin(), calls.end(), "bind back 2"));
        // As the store was when the machine went: the last but the two that follow a restart that failed.
        const auto& written = bench.durable->written;
        const State at_restart = state_from_text(written.at(written.size() - 3)).value();
        CHECK(at_restart.attempt->retry);
        CHECK(at_restart.attempt->attempt == 1);
        REQUIRE(at_restart.learned.size() == 1);
        CHECK(at_restart.learned.front().message().sentence() ==
              "eth0_driver (pci) is left alone: its unbind hung, seen with eth0");
        CHECK(bench.journal.lines.at(bench.journal.lines.size() - 2).starts_with("restarting the machine"));
        // The restart failed: what was learnt stays, and nothing is tried again by itself.
        CHECK(bench.remembered().learned.size() == 1);
        CHECK_FALSE(bench.remembered().attempt.has_value());
    }

    TEST_CASE("no restart where the setting, the number of attempts, a missing option or store forbid it") {
        const auto restarted = [](Hanging& bench) {
            const Outcome outcome = bench.run();
            CHECK(outcome.undone);
            const auto& calls = bench.script.calls;
            return std::find(calls.begin(), calls.end(), "restart") != calls.end();
        };
        Hanging usual;
        CHECK(restarted(usual));
        Hanging menu;
        menu.options.on_hang = OnHang::menu;
        CHECK_FALSE(restarted(menu));
        CHECK(menu.remembered().learned.size() == 1);
        Hanging last;
        last.request.attempt = max_attempts;
        CHECK_FALSE(restarted(last));
        Hanging by_hand;
        by_hand.request.option_id.clear();
        CHECK_FALSE(restarted(by_hand));
        Hanging without;
        without.durable.reset();
        CHECK_FALSE(restarted(without));
        Hanging broken;
        broken.durable->fails = true;
        CHECK_FALSE(restarted(broken));
    }

    TEST_CASE("while an unbind holds a device no other hand-over begins in this kernel") {
        Hanging bench;
        bench.options.on_hang = OnHang::menu;
        bench.quiescer.not_back = {Message("quiesce.still_hung", {{"device", "eth0"}, {"driver", "eth0_driver"}})};
        CHECK(bench.run().failure->code() == "quiesce.hung");
        bench.quiescer.hangs.clear();
        bench.script.calls.clear();
        const Outcome outcome = bench.run();
        REQUIRE(outcome.failure);
        CHECK(outcome.failure->sentence() ==
              "an unbind of an earlier hand-over still holds /sys/devices/eth0, and no kexec gets past it; "
              "restart the "
              "machine (stillboot reboot), or, where it has come back meanwhile: stillboot quiesce undo");
        CHECK_FALSE(outcome.undone);
    }

    TEST_CASE("the last of the attempts says that it was the last") {
        Hanging last;
        last.request.attempt = max_attempts;
        const auto notes = last.run().notes;
        const auto said = sentences(notes);
        CHECK(std::find(said.begin(), said.end(),
                        "\"Debian\" was not booted in 4 attempts: a driver failed in each") != said.end());
    }

    TEST_CASE("what became of the devices is one word of the next kernel's command line, and found there") {
        quiesce::Verification verification;
        for (const auto rest : {quiesce::Rest::still, quiesce::Rest::still, quiesce::Rest::kept}) {
            quiesce::Verdict verdict;
            verdict.rest = rest;
            verification.verdicts.push_back(verdict);
        }
        quiesce::Plan devices;
        quiesce::Kept kept;
        kept.driver = "ixgbe";
        kept.reason = seen("ixgbe", Learned::Why::hung).message();
        devices.kept = {kept, kept};
        const std::string word = report_word(verification, devices, std::chrono::milliseconds(5600));
        CHECK(word == "stillboot.report=still:2,kept:1,contained:0,moving:0,ms:5600,left:ixgbe");
        CHECK(report_in("quiet " + word + "\n") == "still:2,kept:1,contained:0,moving:0,ms:5600,left:ixgbe");
        CHECK(report_in("xstillboot.report=1 quiet").empty());
        CHECK(report_in("").empty());
    }

    TEST_CASE("the report is on the command line where the setting asks for it and there is room") {
        Bench bench;
        bench.options.report_on_command_line = true;
        (void)bench.run();
        CHECK(bench.loader.orders.back().command_line.starts_with(
            "root=/dev/vda1 quiet stillboot.report=still:1,kept:0,contained:0,moving:0,ms:"));
        Bench full;
        full.options.report_on_command_line = true;
        full.request.command_line = std::string(2010, 'x');
        const Outcome outcome = full.run();
        CHECK(full.loader.orders.back().command_line == full.request.command_line);
        CHECK(outcome.notes.front().sentence() == "the command line has no room for the report");
    }

    TEST_CASE("a store that fails costs the memory, not the boot") {
        Bench bench;
        bench.durable = std::make_unique<MemoryStore>(bench.script);
        bench.durable->fails = true;
        const Outcome outcome = bench.run();
        CHECK(outcome.failed_at == Step::jump);
        CHECK(outcome.notes.front().code() == "state.hangs");
    }

    TEST_CASE("where a store has no room for the report too, that is left out and said, and the rest is kept") {
        Bench bench;
        bench.durable = std::make_unique<MemoryStore>(bench.script);
        (void)bench.run();
        std::size_t without_report = 0;
        for (const std::string& text : bench.durable->written) {
            without_report = std::max(without_report, state_from_text(text)->report ? 0 : text.size());
        }
        bench.durable = std::make_unique<MemoryStore>(bench.script);
        bench.durable->limit = without_report;
        const Outcome outcome = bench.run();
        CHECK(outcome.failed_at == Step::jump);
        REQUIRE_FALSE(outcome.notes.empty());
        CHECK(outcome.notes.back().code() == "handover.report_left_out");
        const State last = state_from_text(bench.durable->written.at(bench.durable->written.size() - 2)).value();
        CHECK(last.attempt->step == Step::jump);
        CHECK_FALSE(last.report);
        bench.durable->limit = 10;
        State state;
        state.report.emplace();
        CHECK(write_state(*bench.durable, state).error().code() == "state.too_large");
    }

    TEST_CASE("settings leave a store half of its room") {
        Script script;
        MemoryStore store(script);
        store.limit = 2000;
        State state;
        state.settings = {{"title", "short"}};
        CHECK(leaves_room(store, state));
        state.settings = {{"title", std::string(1000, 'x')}};
        CHECK(leaves_room(store, state).error().sentence().starts_with("the settings would take 1"));
        store.limit = std::string::npos;
        CHECK(leaves_room(store, state));
    }

    TEST_CASE("a store that stays holds what was seen after the unbinding, and so does the persistent log") {
        Bench bench;
        bench.durable = std::make_unique<MemoryStore>(bench.script);
        (void)bench.run();
        StoredReport stored(*bench.durable);
        const auto report = stored.read().value();
        REQUIRE(report);
        CHECK(report->kind == quiesce::JumpReport::Kind::done);
        REQUIRE(bench.journal.kept.size() == 1);
        CHECK(bench.journal.kept.front() == quiesce::PersistentLog::line_of(*report));
        bench.durable->fails = true;
        CHECK(stored.read().error().code() == "state.hangs");
    }

    TEST_CASE(
        "the store is told each step with what is under way, and that its own devices go, after which it is not "
        "asked again") {
        Bench bench;
        bench.durable = std::make_unique<MemoryStore>(bench.script);
        bench.quiescer.store_goes = true;
        (void)bench.run();
        std::vector<std::string> steps;
        for (const std::string& text : bench.durable->written) {
            const auto state = state_from_text(text).value();
            if (state.attempt) {
                steps.push_back(std::string(to_word(state.attempt->step)) + " " +
                                std::to_string(state.attempt->devices.unbound.size()) +
                                (state.attempt->store_gone ? " gone" : ""));
            }
        }
        CHECK(steps ==
              Lines{"commit 0", "take-down 0", "unbind 0", "unbind 1", "unbind 1", "unbind 1", "unbind 1 gone"});
        const auto last = state_from_text(bench.durable->written.back()).value();
        REQUIRE(last.report);
        CHECK(last.report->kind == quiesce::JumpReport::Kind::planned);
        CHECK(last.report->from_boot == "this-boot");
    }

    TEST_CASE("settings are kept by their keys, and not without bound") {
        State state;
        state.settings = {{"timeout", "5"}, {"boot", "title=\"a b\",@default"}};
        CHECK(state_from_text(to_text(state)).value() == state);
        for (int i = 0; i < 100; ++i) {
            state.settings.push_back({"key" + std::to_string(i), "x"});
        }
        CHECK(state_from_text(to_text(state)).value().settings.size() == 64);
    }
}
