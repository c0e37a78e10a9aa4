// SPDX-License-Identifier: Apache-2.0
#include "kexec/handover/state.hpp"

#include <doctest/doctest.h>

#include "tests/kexec/handover/hanging.hpp"
#include "tests/kexec/handover/recording_ports.hpp"

using namespace stillboot;
using namespace stillboot::handover;
using namespace stillboot::handover::test;

TEST_SUITE("handover") {
    TEST_CASE("a boot that is tried again has its files, and undone gives back what the first try had used up") {
        const EntryFile file = {
            "/dev/vda1", {DeviceRef::Kind::uuid, "A-1"}, "vfat", "/loader/entries", "first+3.conf"};
        Hanging first;
        first.request.entry_file = file;
        first.request.entry_once = "first.conf";
        first.request.overrides.initrds = {"uuid=A:/extra"};
        first.request.overrides.devicetree = "/board.dtb";
        State before;
        before.choices.one_shot = Choice{first.request.option_id, "Debian"};
        REQUIRE(write_state(*first.durable, before));
        (void)first.run();
        const auto at_restart = std::find_if(first.durable->written.begin(), first.durable->written.end(),
                                             [](const std::string& text) {
                                                 const auto attempt = state_from_text(text)->attempt;
                                                 return attempt && attempt->retry;
                                             });
        REQUIRE(at_restart != first.durable->written.end());

        for (const std::string fails_at : {"check", "fetch /vmlinuz", "the plan"}) {
            CAPTURE(fails_at);
            Bench second;
            second.durable = std::make_unique<MemoryStore>(second.script);
            second.durable->contents = *at_restart;
            const auto past = look_back(*second.durable, "this-boot-now", false);
            REQUIRE(past);
            REQUIRE(past->retry);
            CHECK(past->retry->overrides == first.request.overrides);
            CHECK(past->retry->used.entry_once == "first.conf");
            second.tree.file("proc/sys/kernel/random/boot_id", "this-boot-now\n");
            second.request.entry_file = file;
            second.request.entry_file->name = second.counter.name = "first+2-1.conf";
            second.request.attempt = past->retry->attempt;
            second.request.used_before = past->retry->used;
            if (fails_at == "the plan") {
                second.surroundings.beyond = {Message("test.mounted", {{"path", "/mnt"}})};
            }
            second.script.fail = fails_at;
            const Outcome outcome = second.run();
            CHECK(outcome.failure);
            CHECK(outcome.not_back.empty());
            CHECK(second.counter.name == "first+3.conf");
            CHECK(second.entry_once.entry == "first.conf");
            const State after = read_state(*second.durable).value();
            CHECK(after.choices == before.choices);
            CHECK_FALSE(after.attempt);
            CHECK_FALSE(second.store.contents);
        }
    }

    TEST_CASE("a one-shot is used up by the commit of its option, and given back by the undo alone") {
        for (const bool is_chosen : {true, false}) {
            Bench bench;
            bench.request.option_id = "disk/bls/wanted";
            bench.durable = std::make_unique<MemoryStore>(bench.script);
            State before;
            before.choices.one_shot = Choice{is_chosen ? "disk/bls/wanted" : "disk/bls/other", "Linux"};
            before.choices.saved_default = Choice{"disk/bls/usual", "Usual"};
            REQUIRE(write_state(*bench.durable, before));
            REQUIRE(bench.run().failure);
            CHECK(read_state(*bench.durable)->choices == before.choices);  // the jump did not happen
            // Where the power goes after any of the writes, the next kernel does not boot it again.
            std::size_t with_attempt = 0;
            for (const std::string& text : std::vector(bench.durable->written)) {
                if (!state_from_text(text)->attempt) {
                    continue;
                }
                ++with_attempt;
                bench.durable->contents = text;
                const Choices after = look_back(*bench.durable, "the next boot", false)->state.choices;
                CHECK(after.one_shot.has_value() == !is_chosen);
                CHECK(after.saved_default == before.choices.saved_default);
            }
            CHECK(with_attempt > 3);
        }
    }

    TEST_CASE("a daemon that ends while it clears the records leaves nothing used up") {
        // The store must have it back before /run forgets: nobody else would give it back.
        Bench bench;
        bench.request.option_id = "disk/bls/wanted";
        bench.durable = std::make_unique<MemoryStore>(bench.script);
        State before;
        before.choices.one_shot = Choice{"disk/bls/wanted", "Linux"};
        REQUIRE(write_state(*bench.durable, before));
        REQUIRE(bench.run().undone);
        const auto& calls = bench.script.calls;
        REQUIRE(calls.back() == "clear record");
        CHECK(bench.durable->calls_at_last_write == calls.size() - 1);
        const State after = state_from_text(*bench.durable->contents).value();
        CHECK(after.choices == before.choices);
        CHECK_FALSE(after.attempt);
    }

    TEST_CASE("what the firmware is asked for once is used up by the commit, and given back by the undo") {
        Bench bench;
        bench.durable = std::make_unique<MemoryStore>(bench.script);
        bench.entry_once.entry = "debian.conf";
        bench.request.entry_once = "debian.conf";
        REQUIRE(bench.run().failure);
        CHECK(bench.entry_once.entry == "debian.conf");  // the jump did not happen
        const auto& calls = bench.script.calls;
        const auto used = std::find(calls.begin(), calls.end(), "entry none");
        REQUIRE(used != calls.end());
        CHECK(*std::prev(used) == "record commit 0");
        CHECK(std::find(used, calls.end(), "entry debian.conf") != calls.end());
        // Where the power goes between the two, the next kernel knows that it was used.
        for (const std::string& text : std::vector(bench.durable->written)) {
            const auto attempt = state_from_text(text)->attempt;
            if (!attempt) {
                continue;
            }
            bench.durable->contents = text;
            const auto used_entry = look_back(*bench.durable, "the next boot", false)->used_entry;
            CHECK(used_entry.has_value() == (attempt->step == Step::commit));
        }
    }

    TEST_CASE("what another boot is for leaves it, and firmware that keeps it costs no boot") {
        Bench bench;
        bench.entry_once.entry = "debian.conf";
        (void)bench.run();
        CHECK(std::find(bench.script.calls.begin(), bench.script.calls.end(), "entry none") ==
              bench.script.calls.end());
        bench.request.entry_once = "debian.conf";
        bench.script.fail = "entry none";
        const Outcome outcome = bench.run();
        CHECK(outcome.failed_at == Step::jump);
        CHECK(outcome.notes.front().code() == "test.failed");
    }

    TEST_CASE("what was chosen for once does not boot by itself where that it is used cannot be kept") {
        Bench bench;
        bench.request.must_record = MustRecord::choice;
        SUBCASE("in the store") {
            bench.durable = std::make_unique<MemoryStore>(bench.script);
            bench.durable->fails = true;
        }
        SUBCASE("by the firmware") {
            bench.entry_once.entry = "debian.conf";
            bench.request.entry_once = "debian.conf";
            bench.script.fail = "entry none";
        }
        const Outcome outcome = bench.run();
        CHECK(outcome.failed_at == Step::commit);
        CHECK(outcome.failure->code() == "handover.cannot_use_up");
        CHECK(outcome.undone);
        CHECK(bench.store.contents.has_value() == (bench.durable != nullptr));  // which may know of the attempt
        CHECK(std::find(bench.script.calls.begin(), bench.script.calls.end(), "take down") ==
              bench.script.calls.end());
    }

    TEST_CASE(
        "where a store has no room for the attempt, that a choice for once is used is kept before all else") {
        const auto with_room = [](std::size_t more) {
            Bench bench;
            State before;
            before.settings = {{"title", std::string(500, 'x')}};
            before.choices.one_shot = Choice{bench.request.option_id, "Debian"};
            bench.durable = std::make_unique<MemoryStore>(bench.script);
            REQUIRE(write_state(*bench.durable, before));
            bench.durable->limit = bench.durable->contents->size() + more;
            bench.request.command_line = std::string(400, 'y');
            bench.request.must_record = MustRecord::choice;
            bench.script.fail = "jump";
            const Outcome outcome = bench.run();
            CHECK(outcome.failed_at == Step::jump);
            CHECK(read_state(*bench.durable)->choices == before.choices);  // the jump did not happen
            CHECK(read_state(*bench.durable)->settings == before.settings);
            const State at_jump =
                state_from_text(bench.durable->written.at(bench.durable->written.size() - 2)).value();
            CHECK_FALSE(at_jump.choices.one_shot);
            return at_jump.attempt;
        };
        const auto outline = with_room(600);
        REQUIRE(outline);
        CHECK(outline->step == Step::jump);
        CHECK(outline->option_id == "disk/grub/debian");
        CHECK(outline->command_line.empty());
        CHECK_FALSE(with_room(0));
    }
}
