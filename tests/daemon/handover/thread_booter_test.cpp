// SPDX-License-Identifier: Apache-2.0
#include "daemon/handover/thread_booter.hpp"
#include "daemon/handover/quiesce_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "daemon/state/choice.hpp"
#include "tests/quiesce/fake_machine.hpp"
#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::handover;
namespace asio = boost::asio;

namespace {

const std::string entry_once = "sys/firmware/efi/efivars/LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

// A machine without devices, whose memory cannot be told: every hand-over on it ends at its first step.
class Bench {
public:
    Bench() : root(tree.root()) {
        tree.directory("sys/devices");
        tree.directory("sys/bus");
        tree.file("proc/sys/kernel/random/boot_id", "this-boot\n");
        tree.file("proc/self/mountinfo", "");
        scans.stop = [this](auto done) {
            calls.emplace_back("stop scans");
            if (scans_end) {
                done({});
            } else {
                ended = std::move(done);
            }
        };
        scans.start = [this] { calls.emplace_back("start scans"); };
        scans.stuck_nodes = [] { return std::vector<std::string>(); };
        events.on_event = [this](const Event&) { on_loop(); };
        events.on_line = [this](const Message& line) {
            on_loop();
            calls.push_back(line.sentence());
        };
        events.on_failed = [this](const Error& error) {
            on_loop();
            calls.push_back("failed: " + error.sentence());
        };
    }
    void on_loop() { CHECK(std::this_thread::get_id() == loop_thread); }
    ThreadBooter booter() { return ThreadBooter(loop.get_executor(), root, Settings(), scans); }

    // Joined, so that a failed check shows them.
    [[nodiscard]] std::string story() const {
        std::string all;
        for (const auto& call : calls) {
            all += (all.empty() ? "" : ", ") + call;
        }
        return all;
    }

    stillboot::test::TemporaryTree tree;
    Root root;
    asio::io_context loop;
    std::thread::id loop_thread = std::this_thread::get_id();
    bool scans_end = true;
    std::function<void(std::vector<std::string>)> ended;
    std::vector<std::string> calls;
    ScanControl scans;
    BootEvents events;
};

// The loop has work again as soon as the other thread posts.
void run_until(Bench& bench, const std::function<bool()>& done) {
    bench.loop.restart();  // it stops whenever it is out of work
    const auto work = asio::make_work_guard(bench.loop);
    while (!done()) {
        bench.loop.run_one();
    }
}

// The lines of a plan, or why there is none.
std::vector<std::string> planned(Bench& bench, ThreadBooter& booter) {
    Request request;
    request.kernel.path = "/vmlinuz";
    std::vector<std::string> lines;
    booter.plan(std::move(request), [&](Result<std::vector<std::string>> text) {
        lines = text ? *text : std::vector<std::string>{text.error().sentence()};
    });
    CHECK(booter.busy());
    run_until(bench, [&] { return !booter.busy(); });
    return lines;
}

}  // namespace

TEST_SUITE("daemon_handover") {
    TEST_CASE("what a hook prints is told on the loop, and one that fails ends the boot") {
        Bench bench;
        const std::string hook = "usr/lib/stillboot/hooks/before-boot.d/ask";
        bench.tree.file(hook, "#!/bin/sh\necho no\nexit 1\n");
        std::filesystem::permissions(bench.tree.path() / hook, std::filesystem::perms::owner_all);
        auto booter = bench.booter();
        booter.start(Request(), bench.events);
        run_until(bench, [&] { return !booter.busy(); });
        CHECK(bench.story() ==
              "stop scans, hook ask: no, start scans, failed: the hook ask of before-boot failed: no (status 1)");
    }

    TEST_CASE("a hand-over that fails is told on the loop, once its scans may run again") {
        Bench bench;
        auto booter = bench.booter();
        booter.start(Request(), bench.events);
        CHECK(booter.busy());
        run_until(bench, [&] { return !booter.busy(); });
        CHECK(
            bench.story() ==
            "stop scans, start scans, failed: /proc/meminfo cannot be opened: ENOENT (No such file or directory)");
    }

    TEST_CASE("one at a time: a second hand-over and a plan are refused as busy, and the first goes on") {
        Bench bench;
        bench.scans_end = false;
        auto booter = bench.booter();
        booter.start(Request(), bench.events);
        booter.start(Request(), bench.events);
        std::string planned;
        booter.plan(Request(), [&](Result<std::vector<std::string>> lines) { planned = lines.error().code(); });
        CHECK(planned == "handover.busy");
        bench.ended({});
        run_until(bench, [&] { return !booter.busy(); });
        CHECK(bench.story() ==
              "stop scans, failed: another hand-over is under way, start scans, failed: /proc/meminfo cannot be "
              "opened: ENOENT (No such file or directory)");
    }

    TEST_CASE("a plan comes as lines, touches no scan, and leaves the booter free") {
        Bench bench;
        auto booter = bench.booter();
        const auto lines = planned(bench, booter);
        REQUIRE_FALSE(lines.empty());
        CHECK(lines.front() == "1. fetch: bring /vmlinuz into memory");
        CHECK(bench.calls.empty());
    }

    TEST_CASE("a hand-over asked for while a plan is made waits for it, and is not refused") {
        Bench bench;
        auto booter = bench.booter();
        Request request;
        request.kernel.path = "/vmlinuz";
        booter.plan(std::move(request), [&](const auto&) { bench.calls.emplace_back("planned"); });
        booter.start(Request(), bench.events);
        CHECK(bench.calls.empty());
        run_until(bench, [&] { return !booter.busy(); });
        CHECK(bench.story() ==
              "planned, stop scans, start scans, failed: /proc/meminfo cannot be opened: ENOENT (No such file or "
              "directory)");
    }

    TEST_CASE("what only looks or keeps has its turn one after the other, and is not refused as busy") {
        Bench bench;
        auto booter = bench.booter();
        booter.plan(Request(), [&](const auto&) { bench.calls.emplace_back("planned"); });
        booter.choose(ChosenFor::next_start, std::nullopt,
                      [&](const auto& kept) { bench.calls.push_back(kept.error().code()); });
        booter.look_back([&](const auto& past) { bench.calls.emplace_back(past->notes.at(0).code()); });
        CHECK(bench.calls.empty());
        run_until(bench, [&] { return !booter.busy(); });
        CHECK(bench.story() == "planned, handover.no_place_to_choose, handover.no_store");
    }

    TEST_CASE("a hand-over goes before what waits, which is told that it is busy") {
        Bench bench;
        auto booter = bench.booter();
        booter.plan(Request(), [&](const auto&) { bench.calls.emplace_back("planned"); });
        booter.choose(ChosenFor::next_start, std::nullopt,
                      [&](const auto& kept) { bench.calls.push_back(kept.error().code()); });
        booter.look_back([&](const auto& past) { bench.calls.emplace_back(past ? "read" : "not read"); });
        booter.start(Request(), bench.events);
        booter.quiesce_plan([&](const auto& plan) { bench.calls.push_back(plan.error().code()); });
        CHECK(bench.story() == "handover.busy");
        run_until(bench, [&] { return !booter.busy(); });
        CHECK(bench.story() ==
              "handover.busy, planned, handover.busy, not read, stop scans, start scans, failed: /proc/meminfo "
              "cannot be opened: ENOENT (No such file or directory)");
    }

    TEST_CASE("no more than 32 wait for their turn") {
        Bench bench;
        auto booter = bench.booter();
        int busy = 0;
        for (int i = 0; i < 40; ++i) {
            booter.choose(ChosenFor::next_start, std::nullopt,
                          [&](const auto& kept) { busy += kept.error().code() == "handover.busy" ? 1 : 0; });
        }
        CHECK(busy == 40 - 1 - 32);
        run_until(bench, [&] { return !booter.busy(); });
        CHECK(busy == 40 - 1 - 32);
    }

    TEST_CASE("the devices' plan comes as clients see it; who asks meanwhile gets the same one") {
        quiesce::test::FakeMachine machine;
        machine.pci("/sys/devices/pci0000:00/0000:00:01.0", "0x010802", "nvme");
        machine.pci("/sys/devices/pci0000:00/0000:00:02.0", "0x020000", "e1000e");
        machine.disk("/sys/devices/pci0000:00/0000:00:01.0/nvme/nvme0/nvme0n1", "259:0", "a");
        Bench bench;
        bench.scans.stuck_nodes = [] { return std::vector<std::string>{"/dev/nvme0n1"}; };
        ThreadBooter booter(bench.loop.get_executor(), machine.root(), Settings(), bench.scans);
        std::vector<protocol::QuiescePlan> plans;
        for (int i = 0; i < 3; ++i) {
            booter.quiesce_plan([&](const auto& plan) { plans.push_back(plan.value()); });
        }
        CHECK(plans.empty());
        run_until(bench, [&] { return !booter.busy(); });
        REQUIRE(plans.size() == 3);
        CHECK(plans[1] == plans[0]);
        REQUIRE(plans[0].kept.size() == 1);
        CHECK(plans[0].kept[0].driver == "nvme");
        CHECK(plans[0].kept[0].reason.code() == "quiesce.keep_hung");
        REQUIRE(plans[0].steps.size() == 1);
        CHECK(plans[0].steps[0].driver == "e1000e");
        CHECK(plans[0].steps[0].action == "unbind");
        // A client prints it as the machine itself would.
        CHECK(to_protocol(from_protocol(plans[0])) == plans[0]);
    }

    TEST_CASE("a plan from another daemon leads nowhere outside of itself") {
        protocol::QuiescePlan plan;
        plan.steps.resize(2);
        plan.steps[0].waits_for = {0, 1, 18446744073709551615U};
        plan.steps[1].waits_for = {0, 7};
        plan.steps[1].action = "levitate";
        plan.steps[1].deadline_s = 18446744073709551615U;
        const auto read = from_protocol(plan);
        CHECK(read.steps[0].waits_for.empty());
        CHECK(read.steps[1].waits_for == std::vector<std::size_t>{0});
        CHECK(read.text().size() == 2);
    }

    TEST_CASE("a plan keeps what a scan is stuck on, as the hand-over itself would") {
        quiesce::test::FakeMachine machine;
        machine.pci("/sys/devices/pci0000:00/0000:00:01.0", "0x010802", "nvme");
        machine.disk("/sys/devices/pci0000:00/0000:00:01.0/nvme/nvme0/nvme0n1", "259:0", "a");
        Bench bench;
        bench.scans.stuck_nodes = [] { return std::vector<std::string>{"/dev/nvme0n1"}; };
        ThreadBooter booter(bench.loop.get_executor(), machine.root(), Settings(), bench.scans);
        const auto lines = planned(bench, booter);
        CHECK(std::count(lines.begin(), lines.end(),
                         "     keep 0000:00:01.0 (pci, nvme): kept because a scan of /dev/nvme0n1 hangs on it") ==
              1);
    }

    TEST_CASE("a booter that goes while its hand-over runs waits for it, and tells nobody") {
        Bench bench;
        {
            auto booter = bench.booter();
            booter.start(Request(), bench.events);
        }
        bench.loop.run();
        CHECK(bench.story() == "stop scans");
    }

    TEST_CASE(
        "what the firmware is asked for comes with the past, and is forgotten where it was used up already") {
        for (const bool was_used : {false, true}) {
            CAPTURE(was_used);
            Bench bench;
            bench.tree.file(entry_once, std::string("\7\0\0\0a\0b\0\0\0", 10));
            const auto store = state::open_store(bench.root, "efi");
            REQUIRE(store);
            State state;
            state.attempt.emplace();
            state.attempt->boot_id = "another-boot";
            state.attempt->step = was_used ? Step::commit : Step::jump;
            state.attempt->entry_once = "ab";
            REQUIRE(write_state(*store, state));
            auto booter = bench.booter();
            std::optional<Past> past;
            booter.look_back([&](const std::optional<Past>& told) {
                bench.on_loop();
                past = told;
            });
            CHECK_FALSE(past);
            run_until(bench, [&] { return !booter.busy(); });
            REQUIRE(past);
            CHECK(past->entry_once == (was_used ? std::nullopt : std::optional<std::string>("ab")));
            CHECK(bench.root.exists(entry_once) == !was_used);
            CHECK(past->choices);
        }
    }

    TEST_CASE("firmware that cannot be asked is said with the past, and the machine boots all the same") {
        Bench bench;
        bench.tree.directory(entry_once);
        auto booter = bench.booter();
        std::vector<Message> notes;
        booter.look_back([&](const std::optional<Past>& past) { notes = past->notes; });
        run_until(bench, [&] { return !booter.busy(); });
        REQUIRE_FALSE(notes.empty());
        CHECK(notes.back().sentence() ==
              "the EFI variable LoaderEntryOneShot cannot be read: EISDIR (Is a directory)");
    }

    TEST_CASE("the firmware is asked for its setup beside the loop, and not during a hand-over") {
        Bench bench;
        auto booter = bench.booter();
        std::string code;
        const auto told = [&](const Result<void>& done) {
            bench.on_loop();
            code = done ? "done" : done.error().code();
        };
        booter.ask_for_setup(told);
        CHECK(booter.busy());
        run_until(bench, [&] { return !booter.busy(); });
        CHECK(code == "platform.no_efi");
        bench.scans_end = false;
        booter.start(Request(), bench.events);
        booter.ask_for_setup(told);
        CHECK(code == "handover.busy");
        bench.ended({});
        run_until(bench, [&] { return !booter.busy(); });
    }

    TEST_CASE("without a record there is nothing to recover; a damaged one is an error, and told on the loop") {
        Bench bench;
        auto booter = bench.booter();
        CHECK_FALSE(booter.has_left_over());
        bench.tree.file("run/stillboot/handover.json", "{");
        REQUIRE(booter.has_left_over());
        std::string code;
        booter.recover([&](const auto& recovery) { code = recovery ? "none" : recovery.error().code(); });
        CHECK(booter.busy());
        CHECK(code.empty());
        run_until(bench, [&] { return !booter.busy(); });
        CHECK(code == "handover.record_damaged");
    }
}
