// SPDX-License-Identifier: Apache-2.0
// Boot counting: which file gets which name when, and what the booted system is told.
#include "kexec/handover/count.hpp"

#include <doctest/doctest.h>

#include "kexec/handover/words.hpp"

#include "tests/kexec/handover/recording_ports.hpp"

using namespace stillboot;
using namespace stillboot::handover;
using namespace stillboot::handover::test;

namespace {

using Calls = std::vector<std::string>;

EntryFile first(const std::string& name = "first+3.conf") {
    return {"/dev/nvme0n1p1", {DeviceRef::Kind::partuuid, "1234-5"}, "vfat", "/loader/entries", name};
}

constexpr const char* word = "stillboot-bless.entry=PARTUUID=1234-5:/loader/entries/first.conf";

/// A machine that boots a counted entry.
class Counted : public Bench {
public:
    Counted() { request.entry_file = first(); }

    [[nodiscard]] bool did(const std::string& call) const { return place_of(call) < script.calls.size(); }
    [[nodiscard]] std::size_t place_of(const std::string& call) const {
        return static_cast<std::size_t>(std::find(script.calls.begin(), script.calls.end(), call) -
                                        script.calls.begin());
    }
    [[nodiscard]] std::string last_command_line() const { return loader.orders.back().command_line; }
};

/// Every call of a hand-over of a counted entry, up to the jump.
Calls whole_way() {
    Counted whole;
    whole.script.fail = "jump";
    (void)whole.run();
    Calls calls = whole.script.calls;
    calls.resize(whole.place_of("jump") + 1);
    return calls;
}

Record record_of(const std::string& text) {
    auto record = record_from_text(text);
    REQUIRE(record);
    return std::move(*record);
}

}  // namespace

TEST_SUITE("handover") {
    TEST_CASE("a try is the file's rename; without counters, or with none left, there is none") {
        CHECK(try_of(first())->after == "first+2-1.conf");
        CHECK(try_of(first("first+1-2.conf"))->after == "first+0-3.conf");
        CHECK(try_of(first("first+05-0.efi"))->after == "first+4-1.efi");
        CHECK_FALSE(try_of(first("first.conf")));
        CHECK_FALSE(try_of(first("first+0-3.conf")));
        CHECK_FALSE(try_of(first("+3.conf")));
        CHECK_FALSE(try_of(first("menu.lst")));
    }

    TEST_CASE("the booted system's word names the device and the file without its counters") {
        CHECK(bless_word(first()) == word);
        EntryFile file = first("a+b+2-1.efi");
        file.device = {DeviceRef::Kind::uuid, "ABCD-0123"};
        CHECK(bless_word(file) == "stillboot-bless.entry=UUID=ABCD-0123:/loader/entries/a+b.efi");
        CHECK(entry_to_bless(bless_word(file))->path() == "/loader/entries/a+b.efi");

        file = first();
        file.device = {};
        CHECK(bless_word(file).empty());
        file = first("two words+3.conf");
        CHECK(bless_word(file).empty());
        file = first();
        file.directory = "/loader/\"entries";
        CHECK(bless_word(file).empty());
        file.directory = "/" + std::string(600, 'x');
        CHECK(bless_word(file).empty());
    }

    TEST_CASE("the word is found on a command line, and what only looks like it is not") {
        const auto found = entry_to_bless("root=/dev/sda1 " + std::string(word) + " quiet\n");
        REQUIRE(found);
        CHECK(found->device == DeviceRef{DeviceRef::Kind::partuuid, "1234-5"});
        CHECK(found->directory == "/loader/entries");
        CHECK(found->name == "first.conf");
        for (const char* other : {
                 "",
                 "quiet",
                 "xstillboot-bless.entry=PARTUUID=1:/a/b.conf",
                 "stillboot-bless.entry=",
                 "stillboot-bless.entry=PARTUUID=1",
                 "stillboot-bless.entry=PARTUUID=:/a/b.conf",
                 "stillboot-bless.entry=LABEL=x:/a/b.conf",
                 "stillboot-bless.entry=PARTUUID=../x:/a/b.conf",
                 "stillboot-bless.entry=UUID=1:/a/b.txt",
                 "stillboot-bless.entry=UUID=1:/a/b\x01.conf",
                 "stillboot-bless.entry=UUID=1:/",
             }) {
            CAPTURE(other);
            CHECK_FALSE(entry_to_bless(other));
        }
    }

    TEST_CASE("words that an earlier boot has left on a command line go, and the last one is read") {
        const std::string stale = "stillboot-bless.entry=UUID=1:/loader/entries/old.conf";
        CHECK(entry_to_bless("quiet " + stale + " " + word)->name == "first.conf");
        const std::pair<std::string, std::string> rows[] = {
            {"", ""},
            {"quiet", "quiet"},
            {stale, ""},
            {stale + " quiet", "quiet"},
            {"quiet  splash " + stale, "quiet  splash"},
            {"a " + stale + " " + stale + " b", "a b"},
            {"a stillboot.report=still:1 stillboot.timeout=3", "a stillboot.timeout=3"},
            {"x" + stale, "x" + stale},
        };
        for (const auto& [before, after] : rows) {
            CHECK(without_our_words(before) == after);
        }
        Counted bench;
        bench.request.command_line = "root=/dev/vda1 " + stale + " quiet stillboot.report=still:1";
        (void)bench.run();
        CHECK(bench.last_command_line() == "root=/dev/vda1 quiet " + std::string(word));
    }

    TEST_CASE("a disk that hangs while its entry is renamed fails the boot, whoever wants it") {
        Counted bench;
        struct Hanging final : TryCounter {
            Result<void> take(const Try&) override {
                return Error("state.entry_hangs", {{"device", "/dev/vda1"}});
            }
            Result<void> give_back(const Try&) override {
                FAIL("nothing was taken");
                return {};
            }
        } hanging;
        const Ports ports = bench.ports();
        const Ports with_hanging{ports.root,         ports.fetcher,   ports.loader,        ports.quiescer,
                                 ports.surroundings, ports.run_store, ports.durable_store, ports.restarter,
                                 ports.watchdog,     hanging,         ports.hooks,         ports.journal,
                                 ports.observer,     ports.clock,     ports.entry_once};
        const auto plan = prepare(bench.request, bench.options, with_hanging);
        REQUIRE(plan);
        bench.script.calls.clear();
        const Outcome outcome = handover::run(*plan, with_hanging);
        CHECK(outcome.failed_at == Step::commit);
        CHECK(outcome.failure->sentence() == "/dev/vda1 does not answer");
        CHECK(outcome.not_back.empty());
        CHECK_FALSE(bench.did("take down"));
    }

    TEST_CASE("a verdict finds the one file that is meant, once") {
        const Calls names = {"first+2-1.conf", "second+3.conf", "first.txt", "other.conf"};
        CHECK(blessing_of(names, "first.conf", Verdict::good).value() == Blessing{"first+2-1.conf", "first.conf"});
        CHECK(blessing_of(names, "first.conf", Verdict::bad).value() ==
              Blessing{"first+2-1.conf", "first+0-1.conf"});
        CHECK(blessing_of({"x+02-01.conf"}, "x.conf", Verdict::good).value() ==
              Blessing{"x+02-01.conf", "x.conf"});
        CHECK(blessing_of(names, "second.conf", Verdict::bad).value() ==
              Blessing{"second+3.conf", "second+0.conf"});
        CHECK(blessing_of(names, "other.conf", Verdict::good).value().is_said());
        CHECK(blessing_of(names, "other.conf", Verdict::bad).value() == Blessing{"other.conf", "other+0.conf"});
        CHECK(blessing_of({"x+0-3.conf"}, "x.conf", Verdict::bad).value().is_said());
        CHECK(blessing_of({"x+0-3.conf"}, "x.conf", Verdict::good).value() == Blessing{"x+0-3.conf", "x.conf"});

        CHECK(blessing_of(names, "third.conf", Verdict::good).error().sentence() ==
              "there is no entry third.conf, with counters or without");
        CHECK(blessing_of({"x+3.conf", "x+2-1.conf"}, "x.conf", Verdict::good).error().sentence() ==
              "2 entries are called x.conf and differ in their counters alone: remove those that do not belong "
              "there");
    }

    TEST_CASE("the try is written down, taken, and said, before anything is taken down; the next system is told") {
        Counted bench;
        bench.script.fail = "jump";
        const auto plan = prepare(bench.request, bench.options, bench.ports());
        REQUIRE(plan);
        const auto lines = plan->text();
        CHECK(std::find(lines.begin(), lines.end(),
                        "7. commit: write the record of this hand-over, and count the try: rename "
                        "/loader/entries/first+3.conf on /dev/nvme0n1p1 to first+2-1.conf") != lines.end());
        (void)bench.run();
        CHECK(bench.place_of("take first+3.conf") == bench.place_of("take down") - 2);
        REQUIRE(bench.store.written.size() > 2);
        CHECK_FALSE(record_of(bench.store.written[1]).counted);
        CHECK(record_of(bench.store.written[2]).counted == try_of(first()));
        CHECK(bench.last_command_line() == "root=/dev/vda1 quiet " + std::string(word));
        const auto& said = bench.journal.lines;
        CHECK(std::find(said.begin(), said.end(),
                        "this try is counted: /loader/entries/first+3.conf on /dev/nvme0n1p1 is called "
                        "first+2-1.conf now") != said.end());
    }

    TEST_CASE("wherever it fails, the name is what it was, and nothing is left of the try") {
        for (const std::string& call : whole_way()) {
            if (call == "unload" || call == "clear record" || call == "take first+3.conf") {
                continue;  // cases of their own
            }
            CAPTURE(call);
            Counted bench;
            bench.options.trial = Trial::always;
            const auto plan = prepare(bench.request, bench.options, bench.ports());
            REQUIRE(plan);
            bench.script.calls.clear();
            bench.script.fail = call;
            CHECK(handover::run(*plan, bench.ports()).failure.has_value());
            CHECK(bench.counter.name == "first+3.conf");
            CHECK(bench.did("give back first+3.conf") == bench.did("take first+3.conf"));
            CHECK_FALSE(bench.store.contents.has_value());
        }
    }

    TEST_CASE("wherever it is stopped, the name is what it was") {
        for (const std::string& call : whole_way()) {
            if (call == "jump") {
                continue;
            }
            CAPTURE(call);
            Counted bench;
            bench.script.stop_at = call;
            const auto plan = prepare(bench.request, bench.options, bench.ports());
            REQUIRE(plan);
            bench.script.stop = std::stop_source();
            CHECK(handover::run(*plan, bench.ports(), bench.script.stop.get_token()).cancelled);
            CHECK(bench.counter.name == "first+3.conf");
        }
    }

    TEST_CASE("from the record of each moment the name is put back, after the devices") {
        Counted whole;
        whole.script.fail = "clear record";  // so that the last record stays
        (void)whole.run();
        for (const std::string& text : whole.store.written) {
            Counted again;
            again.store.contents = text;
            again.counter.name = "first+2-1.conf";
            const auto recovered = recover(again.ports());
            REQUIRE(recovered);
            CHECK((*recovered)->complete());
            const bool counted = record_of(text).counted.has_value();
            CHECK(again.did("give back first+3.conf") == counted);
            CHECK(again.counter.name == (counted ? "first+3.conf" : "first+2-1.conf"));
            CHECK((!counted || again.place_of("give back first+3.conf") > again.place_of("bring back")));
        }
    }

    TEST_CASE("a try that cannot be given back is told, and the record stays for the next start") {
        Counted bench;
        bench.script.fail = "give back first+3.conf";
        const Outcome outcome = bench.run();
        REQUIRE(outcome.not_back.size() == 1);
        CHECK(outcome.not_back[0].param("at") == "give back first+3.conf");
        REQUIRE(bench.store.contents);
        bench.script.fail.clear();
        CHECK((*recover(bench.ports()))->complete());
        CHECK(bench.counter.name == "first+3.conf");
        CHECK_FALSE(bench.store.contents);

        bench.store.contents = to_text(record_of(bench.store.written.back()));
        bench.script.fail = "give back first+3.conf";
        CHECK_FALSE((*recover(bench.ports()))->complete());
        CHECK(bench.store.contents);
    }

    TEST_CASE("what cannot be counted boots all the same, and it is said") {
        Counted bench;
        bench.script.fail = "take first+3.conf";
        const Outcome outcome = bench.run();
        CHECK(outcome.failed_at == Step::jump);
        REQUIRE(outcome.notes.size() == 1);
        CHECK(outcome.notes[0].code() == "handover.not_counted");
        CHECK_FALSE(bench.did("give back first+3.conf"));
        CHECK_FALSE(record_of(bench.store.written.back()).counted);
        CHECK(bench.last_command_line().ends_with(word));
    }

    TEST_CASE("what cannot be counted does not boot by itself while there is something else") {
        Counted bench;
        bench.request.must_record = MustRecord::count;
        bench.script.fail = "take first+3.conf";
        const Outcome outcome = bench.run();
        CHECK(outcome.failed_at == Step::commit);
        CHECK(outcome.failure->code() == "handover.cannot_count");
        CHECK(outcome.undone);
        CHECK_FALSE(bench.did("take down"));
        CHECK_FALSE(bench.store.contents);

        bench.script.fail.clear();  // one that can be is booted
        CHECK(bench.run().failed_at == Step::jump);
    }

    TEST_CASE("an entry without a try left keeps its name, and one that is booted again was counted before") {
        Counted bad;
        bad.request.entry_file = first("first+0-3.conf");
        CHECK(bad.run().failed_at == Step::jump);
        CHECK_FALSE(bad.did("take first+0-3.conf"));
        CHECK(bad.last_command_line().ends_with(word));

        Counted again;
        again.request.entry_file = first("first+2-1.conf");
        again.request.attempt = 2;
        CHECK(again.run().failed_at == Step::jump);
        CHECK_FALSE(again.did("take first+2-1.conf"));
        CHECK(again.last_command_line().ends_with(word));
    }

    TEST_CASE("a word that does not fit is left out, and that is said") {
        Counted bench;
        bench.request.command_line = std::string(2000, 'x');
        const Outcome outcome = bench.run();
        CHECK(outcome.failed_at == Step::jump);
        REQUIRE(outcome.notes.size() == 1);
        CHECK(outcome.notes[0].code() == "handover.no_bless_word");
        CHECK(bench.last_command_line() == bench.request.command_line);

        Counted nameless;
        nameless.request.entry_file->device = {};
        CHECK(nameless.run().notes.at(0).code() == "handover.no_bless_word");
        CHECK(nameless.last_command_line() == "root=/dev/vda1 quiet");
    }
}
