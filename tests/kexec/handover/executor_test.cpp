// SPDX-License-Identifier: Apache-2.0
#include "kexec/handover/executor.hpp"

#include <doctest/doctest.h>

#include "tests/kexec/handover/recording_ports.hpp"

using namespace stillboot;
using namespace stillboot::handover;
using namespace stillboot::handover::test;

namespace {

using Calls = std::vector<std::string>;

const Calls whole_way = {"hooks before-boot",
                         "fetch /vmlinuz",
                         "fetch /one",
                         "fetch /two",
                         "record trial-load 0",
                         "trial",
                         "unload",
                         "clear record",
                         "record commit 0",
                         "record before-quiesce 0",
                         "hooks before-quiesce",
                         "record take-down 0",
                         "take down",
                         "record unbind 0",
                         "plan",
                         "record unbind 1",
                         "unbind nvme0",
                         "record unbind 2",
                         "unbind eth0",
                         "record unbind 3",
                         "unbind usb1",
                         "record check 3",
                         "check",
                         "record load 3",
                         "load",
                         "record jump 3",
                         "jump"};

std::size_t place_of(const Calls& calls, const std::string& call) {
    return static_cast<std::size_t>(std::find(calls.begin(), calls.end(), call) - calls.begin());
}

// What the undo must do after these calls were made, the last of which failed or was when the stop came.
Calls expected_undo(const Calls& made, bool loaded) {
    const auto happened = [&](const std::string& call) { return place_of(made, call) < made.size(); };
    Calls undo;
    if (!happened("record commit 0")) {
        return made.back() == "trial" ? Calls{"clear record"} : undo;
    }
    if (loaded) {
        undo.push_back("unload");
    }
    if (happened("record unbind 1")) {
        const int count = happened("record unbind 3") ? 3 : happened("record unbind 2") ? 2 : 1;
        undo.push_back("bind back " + std::to_string(count));
    }
    if (happened("take down")) {
        undo.push_back("bring back");
    }
    undo.push_back("clear record");
    return undo;
}

}  // namespace

TEST_SUITE("handover") {
    TEST_CASE("the whole way goes in one order, and what is loaded is what was asked for") {
        HookedBench bench;
        const Outcome outcome = bench.run();
        CHECK(Calls(bench.script.calls.begin(),
                    bench.script.calls.begin() + static_cast<std::ptrdiff_t>(whole_way.size())) == whole_way);
        CHECK(outcome.failed_at == Step::jump);
        REQUIRE(bench.loader.orders.size() == 2);
        CHECK(bench.loader.orders[0].trial);
        CHECK_FALSE(bench.loader.orders[1].trial);
        CHECK(bench.loader.orders[1].command_line == "root=/dev/vda1 quiet");
        CHECK(bench.loader.initrd_of_last == std::string("111\00022222", 9));
    }

    TEST_CASE("hooks are told what is booted, and what they print goes to the log; without any there is no step") {
        HookedBench bench;
        (void)bench.run();
        REQUIRE(bench.hooks.subjects.size() == 2);
        for (const HookSubject& subject : bench.hooks.subjects) {
            CHECK(subject.option == "disk/grub/debian");
            CHECK(subject.kernel == "/vmlinuz");
            CHECK(subject.arguments == "root=/dev/vda1 quiet");
            CHECK(subject.attempt == 1);
        }
        CHECK(bench.events.lines == Calls{"hook before-boot: runs", "hook before-quiesce: runs"});
        Bench without;
        (void)without.run();
        CHECK(without.hooks.subjects.empty());
        HookedBench only_loads;
        only_loads.options.goal = Options::Goal::load_only;
        (void)only_loads.run();
        CHECK(only_loads.hooks.subjects.empty());
    }

    TEST_CASE("a failure at any call is undone in reverse, and nothing is left") {
        for (std::size_t at = 0; at < whole_way.size(); ++at) {
            if (whole_way[at] == "unload" || whole_way[at] == "clear record") {
                continue;  // called again by the undo; cases of their own
            }
            CAPTURE(whole_way[at]);
            HookedBench bench;
            bench.options.trial = Trial::always;
            auto plan = prepare(bench.request, bench.options, bench.ports());
            REQUIRE(plan);
            bench.script.calls.clear();
            bench.script.fail = whole_way[at];
            const Outcome outcome = handover::run(*plan, bench.ports());
            Calls wanted(whole_way.begin(), whole_way.begin() + static_cast<std::ptrdiff_t>(at) + 1);
            const Calls undo = expected_undo(wanted, place_of(wanted, "record jump 3") < wanted.size());
            wanted.insert(wanted.end(), undo.begin(), undo.end());
            CHECK(bench.script.calls == wanted);
            CHECK(outcome.failure.has_value());
            CHECK(outcome.undone == (at >= place_of(whole_way, "record commit 0")));
            CHECK_FALSE(outcome.cancelled);
            CHECK_FALSE(bench.store.contents.has_value());
            CHECK_FALSE(bench.loader.loaded_);
        }
    }

    TEST_CASE("a stop at any call ends it there: before the commit at once, after it by the undo") {
        for (std::size_t at = 0; at + 1 < whole_way.size(); ++at) {
            CAPTURE(whole_way[at]);
            HookedBench bench;
            bench.script.stop_at = whole_way[at];
            auto plan = prepare(bench.request, bench.options, bench.ports());
            bench.script.stop = std::stop_source();
            bench.script.calls.clear();
            const Outcome outcome = handover::run(*plan, bench.ports(), bench.script.stop.get_token());
            CHECK(outcome.cancelled);
            CHECK(outcome.failure->sentence() == "cancelled");
            CHECK(place_of(bench.script.calls, "jump") == bench.script.calls.size());
            CHECK_FALSE(bench.store.contents.has_value());
            CHECK_FALSE(bench.loader.loaded_);
            const bool at_devices = place_of(bench.script.calls, "plan") < bench.script.calls.size();
            CHECK(bench.quiescer.undone.size() == (at_devices ? 1 : 0));
        }
    }

    TEST_CASE("what fails by itself while it is being cancelled is told as what it is") {
        Bench bench;
        bench.script.fail = bench.script.stop_at = "unbind eth0";
        auto plan = prepare(bench.request, bench.options, bench.ports());
        REQUIRE(plan);
        const Outcome outcome = handover::run(*plan, bench.ports(), bench.script.stop.get_token());
        CHECK_FALSE(outcome.cancelled);
        CHECK(outcome.failure->code() == "quiesce.unbind_failed");
        CHECK(outcome.undone);
    }

    TEST_CASE("each unbind is in the record before it happens") {
        Bench bench;
        (void)bench.run();
        const auto last = record_from_text(bench.store.written.back());
        REQUIRE(last);
        CHECK(last->boot_id == "this-boot");
        CHECK(last->option_id == "disk/grub/debian");
        CHECK(last->devices.unbound.size() == 3);
        CHECK(last->devices.unbound[1].driver == "eth0_driver");
    }

    TEST_CASE("an unload that fails after the trial is tried again and told, and no device is touched") {
        Bench bench;
        bench.script.fail = "unload";
        const Outcome outcome = bench.run();
        CHECK(outcome.failed_at == Step::trial_load);
        CHECK(std::count(bench.script.calls.begin(), bench.script.calls.end(), "unload") == 2);
        REQUIRE(outcome.not_back.size() == 1);
        CHECK(outcome.not_back[0].param("at") == "unload");
        CHECK_FALSE(outcome.undone);
        CHECK(place_of(bench.script.calls, "record commit 0") == bench.script.calls.size());
        CHECK(record_from_text(*bench.store.contents)->step == Step::trial_load);  // the next daemon unloads it
    }

    TEST_CASE("a record of the trial that cannot be cleared ends it before the commit") {
        Bench bench;
        bench.script.fail = "clear record";
        const Outcome outcome = bench.run();
        CHECK(outcome.failed_at == Step::trial_load);
        CHECK_FALSE(bench.loader.loaded_);
        CHECK(place_of(bench.script.calls, "record commit 0") == bench.script.calls.size());
    }

    TEST_CASE("a record of a hand-over that was undone in part outlives a trial that fails") {
        Bench bench;
        Record earlier;
        earlier.boot_id = "this-boot";
        earlier.step = Step::unbind;
        bench.store.contents = to_text(earlier);
        bench.quiescer.not_back.emplace_back("quiesce.not_back");
        bench.script.fail = "trial";
        CHECK(bench.run().failed_at == Step::trial_load);
        CHECK(bench.store.contents == to_text(earlier));
    }

    TEST_CASE("a device that still moves keeps the jump from happening, unless that is allowed") {
        Bench bench;
        bench.quiescer.rest = quiesce::Rest::moving;
        const Outcome refused = bench.run();
        CHECK(refused.failure->sentence() ==
              "after the unbinding these devices can still write to memory: 0000:00:04.0");
        CHECK(refused.undone);
        Bench allowing;
        allowing.quiescer.rest = quiesce::Rest::moving;
        allowing.options.moving = Moving::allow;
        const Outcome allowed = allowing.run();
        CHECK(allowed.failed_at == Step::jump);
        CHECK(allowed.notes.at(0).code() == "handover.moving");
    }

    TEST_CASE("what the undo cannot bring back is named") {
        Bench bench;
        bench.script.fail = "load";
        bench.quiescer.not_back = {Message("test.disk_gone", {{"disk", "sda"}})};
        const Outcome outcome = bench.run();
        REQUIRE(outcome.not_back.size() == 1);
        CHECK(outcome.not_back[0].param("disk") == "sda");
        CHECK(bench.events.events.back().message.sentence() == "not everything came back: 1 things are missing");
        CHECK(bench.store.contents.has_value());  // for the next start, which tries again
    }

    TEST_CASE("users of devices refuse it before anything is done, and a user that comes late after the undo") {
        Bench bench;
        bench.surroundings.beyond = {Message("test.mounted", {{"path", "/mnt"}})};
        const Outcome early = bench.run();
        CHECK(early.failure->code() == "test.mounted");
        CHECK(bench.script.calls.empty());
        Bench late;
        late.quiescer.devices.refusals = {Message("test.mounted", {{"path", "/mnt"}})};
        const Outcome outcome = late.run();
        CHECK(outcome.failure->code() == "test.mounted");
        CHECK(outcome.undone);
        CHECK(place_of(late.script.calls, "record unbind 1") == late.script.calls.size());
    }

    TEST_CASE("bad images and command lines are refused before the trial") {
        struct Row {
            std::string kernel;
            std::string command_line;
            const char* code;
        };
        const Row rows[] = {
            {stillboot::test::made_bzimage().substr(0, 5000), "", "kexec.image_truncated"},
            {"#!/bin/sh\n", "", "kexec.image_is_text"},
            {stillboot::test::made_bzimage(), std::string(2017, 'a'), "kexec.command_line_too_long"},
        };
        for (const Row& row : rows) {
            Bench bench;
            bench.fetcher.files["/vmlinuz"] = row.kernel;
            bench.request.command_line = row.command_line;
            const Outcome outcome = bench.run();
            CHECK(outcome.failure->code() == row.code);
            CHECK(outcome.failed_at == Step::unwrap);
            CHECK(bench.script.calls.size() == 3);
        }
    }

    TEST_CASE("a kernel that the kexec program loaded is said to be, at the trial and for good") {
        Bench bench;
        bench.loader.by = kexec::LoadedBy::program;
        (void)bench.run();
        std::vector<Step> said;
        for (const Event& event : bench.events.events) {
            if (event.message.sentence() ==
                "the kexec program loads this bzImage kernel, since kexec_file_load cannot") {
                said.push_back(event.step);
            }
        }
        CHECK(said == std::vector<Step>{Step::trial_load, Step::load});
    }

    TEST_CASE("a devicetree that cannot be passed on is refused before the trial" *
              doctest::skip(kexec::host_architecture() != kexec::Architecture::x86)) {
        Bench bench;
        bench.request.devicetree = ImageSource{"/board.dtb", {}, {}};
        const Outcome outcome = bench.run();
        CHECK(outcome.failed_at == Step::unwrap);
        CHECK(outcome.failure->code() == "kexec.devicetree_not_on_x86");
    }

    TEST_CASE("too little memory is refused before the commit") {
        Bench bench;
        bench.tree.file("proc/meminfo", "MemAvailable: 30000 kB\n");
        const Outcome outcome = bench.run();
        CHECK(outcome.failed_at == Step::memory);
        CHECK_FALSE(outcome.undone);
    }

    TEST_CASE("a second hand-over at the same time is refused") {
        Bench bench;
        Bench other;
        class Nested final : public Observer {
        public:
            explicit Nested(Bench& bench) : bench_(bench) {}
            void on_event(const Event& event) override {
                if (event.step == Step::verify) {
                    EventList quiet;
                    Ports ports = bench_.ports();
                    Ports second{
                        ports.root,      ports.fetcher, ports.loader,    ports.quiescer, ports.surroundings,
                        ports.run_store, nullptr,       ports.restarter, ports.watchdog, ports.counter,
                        ports.hooks,     ports.journal, quiet,           ports.clock,    ports.entry_once};
                    inner = handover::run(Plan(), second).failure->code();
                }
            }
            void on_line(const Message&) override {}
            std::string inner;

        private:
            Bench& bench_;
        };
        Nested observer(bench);
        Ports ports = bench.ports();
        const Plan plan = prepare(bench.request, bench.options, ports).value();
        Ports nested{ports.root,      ports.fetcher, ports.loader,    ports.quiescer, ports.surroundings,
                     ports.run_store, nullptr,       ports.restarter, ports.watchdog, ports.counter,
                     ports.hooks,     ports.journal, observer,        ports.clock,    ports.entry_once};
        (void)handover::run(plan, nested);
        CHECK(observer.inner == "handover.busy");
    }

    TEST_CASE("a watchdog is armed as the last thing before the jump, and stopped first where that fails") {
        Bench bench;
        bench.options.watchdog = std::chrono::seconds(60);
        bench.script.fail = "jump";
        const Outcome outcome = bench.run();
        const Calls& calls = bench.script.calls;
        REQUIRE(calls.size() > 8);
        CHECK(Calls(calls.end() - 10, calls.end() - 4) ==
              Calls{"load", "record watchdog 3", "arm 60", "record jump 3", "jump", "disarm"});
        CHECK(record_from_text(bench.store.written.back())->watchdog);
        CHECK(
            bench.journal.lines.at(bench.journal.lines.size() - 4) ==
            "watchdog0 (made up) guards the jump: the machine restarts in 60 s unless the next system sees to it");
        CHECK(outcome.notes.empty());
    }

    TEST_CASE("a watchdog that cannot guard or cannot be armed is said to, and the jump comes all the same") {
        Bench stopping;
        stopping.options.watchdog = std::chrono::seconds(60);
        stopping.watchdog.guards = false;
        const Outcome stopped = stopping.run();
        CHECK(stopped.failed_at == Step::jump);
        CHECK(
            stopped.notes.at(0).sentence() ==
            "watchdog0 (made up) is armed for 60 s and will not guard the jump: most drivers stop at the restart "
            "that kexec announces; start this kernel with watchdog.stop_on_reboot=0");
        Bench failing;
        failing.options.watchdog = std::chrono::seconds(60);
        failing.script.fail = "arm 60";
        const Outcome failed = failing.run();
        CHECK(failed.failed_at == Step::jump);
        CHECK(failed.notes.at(0).param("at") == "arm 60");
        CHECK(place_of(failing.script.calls, "disarm") == failing.script.calls.size());
        Bench running_on;
        running_on.options.watchdog = std::chrono::seconds(60);
        running_on.script.fail = "disarm";
        CHECK(running_on.run().notes.at(0).param("at") == "disarm");
        Bench without;
        (void)without.run();
        CHECK_FALSE(record_from_text(without.store.written.back())->watchdog);
    }

    TEST_CASE("loading alone touches no device and leaves the kernel loaded") {
        Bench bench;
        bench.options.goal = Options::Goal::load_only;
        const Outcome outcome = bench.run();
        CHECK(outcome.loaded());
        CHECK(bench.loader.loaded_);
        CHECK(bench.script.calls == Calls{"fetch /vmlinuz", "fetch /one", "fetch /two", "load"});
    }

    TEST_CASE("a UKI brings its initrd before the others and its command line where none is given") {
        Bench bench;
        bench.request.command_line.clear();
        bench.fetcher.files["/vmlinuz"] = stillboot::test::made_pe(
            0x8664, {{".linux", stillboot::test::made_bzimage()}, {".initrd", "0000"}, {".cmdline", "from=uki"}});
        (void)bench.run();
        REQUIRE(bench.loader.orders.size() == 2);
        CHECK(bench.loader.orders[1].command_line == "from=uki");
        CHECK(bench.loader.initrd_of_last == std::string("0000111\00022222", 13));
    }
}
