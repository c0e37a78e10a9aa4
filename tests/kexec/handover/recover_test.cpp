// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "kexec/handover/lock.hpp"
#include "kexec/handover/state.hpp"
#include "tests/kexec/handover/recording_ports.hpp"

using namespace stillboot;
using namespace stillboot::handover;
using namespace stillboot::handover::test;

namespace {

/// A machine whose hand-over was cut off at its last record, or at the one that is given.
class CutOff : public Bench {
public:
    CutOff() : CutOff(records().back()) {}
    explicit CutOff(const std::string& record) { store.contents = record; }

    /// What a hand-over that goes all the way leaves behind at each moment.
    static std::vector<std::string> records() {
        Bench whole;
        (void)whole.run();
        return whole.store.written;
    }
};

std::string record_of_another_boot() {
    Record record;
    record.boot_id = "an earlier boot";
    return to_text(record);
}

}  // namespace

TEST_SUITE("handover") {
    TEST_CASE("from the record of each moment of a hand-over everything is put back") {
        const auto records = CutOff::records();
        REQUIRE(records.size() == 10);
        for (const std::string& record : records) {
            CutOff again(record);
            const auto recovered = recover(again.ports());
            REQUIRE(recovered);
            REQUIRE(recovered->has_value());
            CHECK((*recovered)->record.title == "Debian");
            CHECK((*recovered)->complete());
            const auto count = record_from_text(record)->devices.unbound.size();
            CHECK(again.script.calls ==
                  std::vector<std::string>{"bind back " + std::to_string(count), "bring back", "clear record"});
            CHECK_FALSE(again.store.contents.has_value());
        }
    }

    TEST_CASE("volumes are recorded before they are closed, and opened again after a failure and after a cut") {
        const std::vector<Volume> ours = {{"LVM", "vg0/root", {"uuid-of-luks"}},
                                          {"LUKS", "crypt", {"uuid-of-disk"}}};
        Bench fails;
        fails.surroundings.ours = ours;
        fails.script.fail = "take down";
        CHECK(fails.run().undone);
        CHECK(fails.surroundings.brought_back == ours);

        Bench whole;
        whole.surroundings.ours = ours;
        (void)whole.run();
        for (const std::string& record : whole.store.written) {
            CutOff again(record);
            REQUIRE(recover(again.ports()));
            const Step step = record_from_text(record)->step;
            const bool closed = step != Step::commit && !record_from_text(record)->volumes.empty();
            CHECK(again.surroundings.brought_back == (closed ? ours : std::vector<Volume>()));
            CHECK((closed || step <= Step::commit || step == Step::take_down));
        }
    }

    TEST_CASE("a store whose own devices had gone gives back what was used up, once it is found again") {
        Record record = record_from_text(CutOff::records().back()).value();
        record.store_gone = true;
        record.one_shot = Choice{"disk/bls/wanted", "Linux"};
        for (const bool comes_back : {true, false}) {
            CAPTURE(comes_back);
            CutOff again(to_text(record));
            const auto store = std::make_shared<MemoryStore>(again.script);
            State used;
            used.attempt = record;
            REQUIRE(write_state(*store, used));
            const auto recovered = recover(again.ports(), [&] { return comes_back ? store : nullptr; });
            CHECK((*recovered)->complete() == comes_back);
            CHECK(again.store.contents.has_value() != comes_back);  // the next start tries again
            const State after = state_from_text(*store->contents).value();
            CHECK(after.attempt.has_value() != comes_back);
            CHECK(after.choices.one_shot.has_value() == comes_back);
        }
    }

    TEST_CASE("a kernel left loaded is unloaded first") {
        CutOff again;
        again.loader.loaded_ = true;
        REQUIRE(recover(again.ports()));
        CHECK(again.script.calls.front() == "unload");
        CHECK_FALSE(again.loader.loaded_);
    }

    TEST_CASE("no record is nothing to do; one of another boot is cleared and not acted on") {
        Bench bench;
        CHECK_FALSE(recover(bench.ports())->has_value());
        CHECK(bench.script.calls.empty());
        bench.store.contents = record_of_another_boot();
        CHECK_FALSE(recover(bench.ports())->has_value());
        CHECK(bench.script.calls == std::vector<std::string>{"clear record"});
    }

    TEST_CASE("a record that cannot be read is an error and stays") {
        Bench bench;
        bench.store.contents = "{";
        CHECK(recover(bench.ports()).error().code() == "handover.record_damaged");
        CHECK(bench.store.contents.has_value());
    }

    TEST_CASE("what does not come back is told, all of it, and the rest is put back all the same") {
        CutOff again;
        again.loader.loaded_ = true;
        again.script.fail = "unload";
        again.quiescer.not_back.emplace_back("quiesce.not_back");
        const auto recovered = recover(again.ports());
        REQUIRE(recovered);
        REQUIRE(recovered->has_value());
        CHECK_FALSE((*recovered)->complete());
        REQUIRE((*recovered)->not_back.size() == 2);
        CHECK((*recovered)->not_back[0].code() == "test.failed");
        CHECK((*recovered)->not_back[1].code() == "quiesce.not_back");
        CHECK(again.script.calls == std::vector<std::string>{"unload", "bind back 3", "bring back"});

        again.script.fail.clear();
        again.quiescer.not_back.clear();
        const auto at_last = recover(again.ports());  // the record is still there
        REQUIRE(at_last);
        REQUIRE(at_last->has_value());
        CHECK((*at_last)->complete());
        CHECK_FALSE(again.store.contents.has_value());
    }

    TEST_CASE("a record that cannot be cleared is told once everything is back") {
        CutOff again;
        again.script.fail = "clear record";
        const auto recovered = recover(again.ports());
        REQUIRE(recovered);
        REQUIRE((*recovered)->not_back.size() == 1);
        CHECK((*recovered)->not_back[0].param("at") == "clear record");
        CHECK(again.script.calls == std::vector<std::string>{"bind back 3", "bring back", "clear record"});
    }

    TEST_CASE("a record of another boot that cannot be cleared is an error, and no device is touched") {
        Bench bench;
        bench.store.contents = record_of_another_boot();
        bench.script.fail = "clear record";
        CHECK(recover(bench.ports()).error().message().param("at") == "clear record");
        CHECK(bench.script.calls == std::vector<std::string>{"clear record"});
    }

    TEST_CASE("a store that cannot be read is an error") {
        Bench bench;
        bench.script.fail = "read record";
        CHECK(recover(bench.ports()).error().message().param("at") == "read record");
        CHECK(bench.script.calls.empty());
    }

    TEST_CASE("the attempt of an earlier kernel is not this one's to give back or to clear") {
        CutOff again;
        again.durable = std::make_unique<MemoryStore>(again.script);
        State earlier;
        earlier.attempt = record_from_text(*again.store.contents).value();
        earlier.attempt->boot_id = "an earlier boot";
        earlier.attempt->one_shot = Choice{"disk/bls/wanted", "Linux"};
        REQUIRE(write_state(*again.durable, earlier));
        CHECK((*recover(again.ports()))->complete());
        const State after = read_state(*again.durable).value();
        CHECK(after.attempt == earlier.attempt);
        CHECK_FALSE(after.choices.one_shot);
        CHECK(after.attempts.size() == 1);  // what was cut off here is told all the same
    }

    TEST_CASE("what was used up is given back also where a device stays away, and not twice") {
        Record record = record_from_text(CutOff::records().back()).value();
        record.entry_once = "debian.conf";
        record.one_shot = Choice{"disk/grub/debian", "Debian"};
        CutOff again(to_text(record));
        again.durable = std::make_unique<MemoryStore>(again.script);
        again.quiescer.not_back.emplace_back("quiesce.not_back");
        const auto recovered = recover(again.ports());
        REQUIRE(recovered);
        CHECK_FALSE((*recovered)->complete());
        CHECK_FALSE((*recovered)->owes());
        CHECK(again.entry_once.entry == "debian.conf");
        CHECK(read_state(*again.durable)->choices.one_shot == record.one_shot);
        const Record left = record_from_text(again.store.contents.value()).value();
        CHECK_FALSE(left.any());
        CHECK(left.devices == record.devices);
    }

    TEST_CASE("the record stays in /run where the firmware or the store cannot be told") {
        Record record = record_from_text(CutOff::records().back()).value();
        record.entry_once = "debian.conf";
        CutOff again(to_text(record));
        again.durable = std::make_unique<MemoryStore>(again.script);
        again.script.fail = "entry debian.conf";
        CHECK((*recover(again.ports()))->owes());
        CHECK(record_from_text(again.store.contents.value())->entry_once == "debian.conf");
        again.script.fail.clear();
        again.durable->fails = true;
        const auto recovered = recover(again.ports());
        CHECK_FALSE((*recovered)->complete());
        CHECK_FALSE((*recovered)->owes());  // nothing of the store's was used up
        CHECK_FALSE(record_from_text(again.store.contents.value())->entry_once);
        again.durable->fails = false;
        CHECK((*recover(again.ports()))->complete());
        CHECK_FALSE(again.store.contents);
    }

    TEST_CASE("a hand-over gives back first what an earlier one still owes, and is refused where that cannot be") {
        Bench bench;
        bench.durable = std::make_unique<MemoryStore>(bench.script);
        State chosen;
        chosen.choices.one_shot = Choice{"disk/grub/debian", "Debian"};
        REQUIRE(write_state(*bench.durable, chosen));
        bench.entry_once.entry = "debian.conf";
        bench.request.entry_once = "debian.conf";
        bench.quiescer.not_back = {Message("quiesce.device_gone", {{"device", "eth0"}, {"driver", "e1000"}})};
        bench.script.fail = "entry debian.conf";
        REQUIRE(bench.run().failure);  // the jump comes back
        CHECK(read_state(*bench.durable)->choices == chosen.choices);

        bench.request.option_id = "disk/grub/other";
        bench.request.entry_once.reset();
        Outcome outcome = bench.run();
        REQUIRE(outcome.failure);
        CHECK(outcome.failure->code() == "handover.owed");
        CHECK(
            outcome.failure->sentence().starts_with("what the boot of \"Debian\" had used up could not be given "
                                                    "back yet, and another one would forget it ("));
        CHECK(std::find(bench.script.calls.begin(), bench.script.calls.end(), "record commit 0") ==
              bench.script.calls.end());

        bench.script.fail = "check";
        outcome = bench.run();  // one device still stays away: that is said, and stays in the record
        CHECK(outcome.failed_at == Step::check);
        CHECK(outcome.notes.front().code() == "quiesce.device_gone");
        CHECK(bench.entry_once.entry == "debian.conf");
        CHECK(read_state(*bench.durable)->choices == chosen.choices);
        CHECK(record_from_text(bench.store.contents.value())->devices.unbound.size() == 3);
        bench.quiescer.devices.steps.pop_back();  // it is not bound, so that nobody unbinds it
        CHECK(bench.run().failed_at == Step::check);
        CHECK(bench.quiescer.undone.back().unbound.size() == 3);
    }

    TEST_CASE("a hand-over that is under way is not taken for one that was cut off") {
        CutOff again;
        const auto held = Lock::take(again.root);
        REQUIRE(held);
        CHECK(recover(again.ports()).error().code() == "handover.busy");
        CHECK(again.script.calls.empty());
    }
}
