// SPDX-License-Identifier: Apache-2.0
#include "kexec/hook/hook.hpp"

#include <doctest/doctest.h>

#include "tests/kexec/handover/recording_ports.hpp"

using namespace stillboot;
using namespace stillboot::hook;
using handover::test::QuietJournal;
using handover::test::Script;
using handover::test::ScriptedLoader;
using handover::test::ScriptedRestarter;

namespace {

using Names = std::vector<std::string>;

/// A clock that each call of a port moves on by what that call takes.
class SteppedClock final : public Clock {
public:
    [[nodiscard]] Instant now() const override { return now_; }
    void pass(std::chrono::milliseconds time) { now_ += time; }

private:
    Instant now_{};
};

/// Two devices to unbind and one that is kept, since it is in use; how they end is set.
class SetQuiescer final : public handover::Quiescer {
public:
    explicit SetQuiescer(Script& script, SteppedClock& clock) : script_(script), clock_(clock) {}
    std::optional<Error> plan_failure;
    std::optional<Error> failure;
    std::optional<Error> verify_failure;
    std::vector<Message> refusals;
    bool hands_off = false;
    bool another_hangs = false;
    quiesce::Rest rest = quiesce::Rest::still;
    std::chrono::seconds budget{0};

    Result<quiesce::Plan> plan() override {
        script_.note("plan");
        if (plan_failure) {
            return *plan_failure;
        }
        quiesce::Plan plan;
        plan.steps.resize(2);
        plan.refusals = refusals;
        plan.hands_off = hands_off;
        quiesce::Kept kept;
        kept.name = "0000:00:02.0";
        kept.reason = Message("quiesce.user_swap",
                              {{"source", "/dev/sda2"}, {"device", "0000:00:02.0"}, {"driver", "megaraid_sas"}});
        plan.kept.push_back(kept);
        kept.name = "0000:00:1f.0";
        kept.reason = Message("quiesce.keep_setting");
        plan.kept.push_back(kept);
        return plan;
    }
    quiesce::Execution execute(const quiesce::Plan&, quiesce::RunnerOptions options) override {
        script_.note("execute");
        budget = options.budget;
        clock_.pass(std::chrono::milliseconds(2500));
        quiesce::Execution execution;
        execution.failure = failure;
        // As the runner does, whatever it tells first.
        const std::string code = failure ? failure->code() : "";
        if (another_hangs || code.starts_with("quiesce.hung") || code == "quiesce.crashed") {
            execution.record.hung = {"/sys/devices/pci0000:00/0000:00:04.0"};
        }
        return execution;
    }
    Result<quiesce::Verification> verify(const quiesce::Plan&) override {
        script_.note("verify");
        if (verify_failure) {
            return *verify_failure;
        }
        quiesce::Verification verification;
        quiesce::Verdict verdict;
        verdict.name = "0000:00:04.0";
        verdict.rest = rest;
        verdict.why = Message("quiesce.keep_setting");
        verification.verdicts.push_back(verdict);
        return verification;
    }
    quiesce::UndoReport undo(const quiesce::UndoRecord&) override {
        script_.note("undo");
        return {};
    }

private:
    Script& script_;
    SteppedClock& clock_;
};

class SetSurroundings final : public Surroundings {
public:
    explicit SetSurroundings(Script& script, SteppedClock& clock) : script_(script), clock_(clock) {}
    Names others;
    bool written = true;
    std::chrono::milliseconds takes{0};

    std::vector<std::string> wait_for_other_hooks(std::chrono::milliseconds) override {
        script_.note("wait for other hooks");
        clock_.pass(takes);
        return others;
    }
    bool write_back(std::chrono::milliseconds) override {
        script_.note("write back");
        return written;
    }

private:
    Script& script_;
    SteppedClock& clock_;
};

struct Bench {
    Bench() { loader.loaded_ = true; }
    End run(std::string_view argument = "kexec") {
        const Ports ports{quiescer, loader, restarter, surroundings, journal, clock};
        return hook::run(argument, settings, ports);
    }

    Script script;
    SteppedClock clock;
    SetQuiescer quiescer{script, clock};
    ScriptedLoader loader{script};
    ScriptedRestarter restarter{script};
    SetSurroundings surroundings{script, clock};
    QuietJournal journal;
    HookSettings settings;
};

const Names before = {"wait for other hooks", "write back", "plan"};

Names after_plan(const Names& further) {
    Names all = before;
    all.insert(all.end(), further.begin(), further.end());
    return all;
}

}  // namespace

TEST_SUITE("hook") {
    TEST_CASE("another shutdown than kexec is not touched") {
        for (const char* argument : {"poweroff", "halt", "reboot", "exit", "", "kexec2"}) {
            CAPTURE(argument);
            Bench bench;
            CHECK(bench.run(argument) == End::not_asked);
            CHECK(bench.script.calls.empty());
            CHECK(bench.journal.lines.empty());
        }
    }

    TEST_CASE("without a loaded kernel nothing is touched, and it says so") {
        Bench bench;
        bench.loader.loaded_ = false;
        CHECK(bench.run() == End::not_asked);
        CHECK(bench.script.calls.empty());
        CHECK(bench.journal.lines == Names{"no kernel is loaded: this shutdown is left to systemd"});
    }

    TEST_CASE("the machine is stilled and jumps, and the journal says what was done") {
        Bench bench;
        bench.quiescer.rest = quiesce::Rest::contained;
        CHECK(bench.run() == End::jump_failed);
        CHECK(bench.script.calls == after_plan({"execute", "verify", "jump"}));
        CHECK(bench.journal.lines ==
              Names{"shutdown for kexec: 2 devices to unbind, 2 stay, within 40 s",
                    "0000:00:02.0 stays bound: /dev/sda2 is in use as swap space, and 0000:00:02.0 (megaraid_sas) "
                    "carries it",
                    "0000:00:04.0 is contained: the settings say so",
                    "devices at rest: 0 still, 0 kept, 1 contained, 0 moving", "jumping after 2500 ms",
                    "test.jump_returned"});
    }

    struct Row {
        std::string name;
        std::optional<Error> plan_failure;
        std::vector<Message> refusals;
        std::optional<Error> failure;
        std::optional<Error> verify_failure;
        quiesce::Rest rest = quiesce::Rest::still;
        AfterTrouble on_moving = AfterTrouble::jump;
        AfterTrouble on_hang = AfterTrouble::restart;
        End end = End::jump_failed;
        Names calls;
    };

    TEST_CASE("what is done for each way in which it can end") {
        const auto jump = AfterTrouble::jump;
        const auto restart = AfterTrouble::restart;
        const auto moving = quiesce::Rest::moving;
        const auto still = quiesce::Rest::still;
        const Names jumps = after_plan({"execute", "verify", "jump"});
        const Names restarts = after_plan({"execute", "restart", "jump"});
        const Row rows[] = {
            {"no plan", Error("quiesce.x"), {}, {}, {}, still, restart, restart, End::left_to_system, before},
            {"a refusal",
             {},
             {Message("quiesce.x")},
             {},
             {},
             still,
             restart,
             restart,
             End::left_to_system,
             before},
            {"moving: jump", {}, {}, {}, {}, moving, jump, restart, End::jump_failed, jumps},
            {"moving: restart, and nothing is left to jump into where that fails",
             {},
             {},
             {},
             {},
             moving,
             restart,
             jump,
             End::left_to_system,
             after_plan({"execute", "verify", "restart", "unload"})},
            {"kept is at rest", {}, {}, {}, {}, quiesce::Rest::kept, restart, jump, End::jump_failed, jumps},
            {"it cannot be seen whether it moves",
             {},
             {},
             {},
             Error("base.open_failed"),
             still,
             restart,
             jump,
             End::left_to_system,
             after_plan({"execute", "verify", "restart", "unload"})},
            {"hung: restart", {}, {}, Error("quiesce.hung"), {}, still, jump, restart, End::jump_failed, restarts},
            {"hung: jump",
             {},
             {},
             Error("quiesce.hung"),
             {},
             still,
             restart,
             jump,
             End::jump_failed,
             after_plan({"execute", "jump"})},
            {"held open: restart",
             {},
             {},
             Error("quiesce.hung_held"),
             {},
             still,
             jump,
             restart,
             End::jump_failed,
             restarts},
            {"dead: restart",
             {},
             {},
             Error("quiesce.crashed"),
             {},
             still,
             jump,
             restart,
             End::jump_failed,
             restarts},
            {"out of time",
             {},
             {},
             Error("quiesce.out_of_time"),
             {},
             moving,
             jump,
             restart,
             End::jump_failed,
             jumps},
            {"one that failed",
             {},
             {},
             Error("quiesce.unbind_failed"),
             {},
             still,
             jump,
             restart,
             End::jump_failed,
             jumps},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Bench bench;
            bench.quiescer.plan_failure = row.plan_failure;
            bench.quiescer.refusals = row.refusals;
            bench.quiescer.failure = row.failure;
            bench.quiescer.verify_failure = row.verify_failure;
            bench.quiescer.rest = row.rest;
            bench.settings.on_moving = row.on_moving;
            bench.settings.on_hang = row.on_hang;
            CHECK(bench.run() == row.end);
            CHECK(bench.script.calls == row.calls);
        }
    }

    TEST_CASE("a device that hangs behind another failure is no less a lock that is held") {
        Bench bench;
        bench.quiescer.failure = Error("quiesce.unbind_failed");
        bench.quiescer.another_hangs = true;
        bench.settings.on_hang = AfterTrouble::restart;
        CHECK(bench.run() == End::jump_failed);
        CHECK(bench.script.calls == after_plan({"execute", "restart", "jump"}));
    }

    TEST_CASE("where quiescing is switched off, systemd jumps as it would without the hook") {
        Bench bench;
        bench.quiescer.hands_off = true;
        CHECK(bench.run() == End::left_to_system);
        CHECK(bench.script.calls == before);
        CHECK(bench.journal.lines ==
              Names{"quiesce is off: the jump is left to systemd, and the devices to the kernel"});
    }

    TEST_CASE("data that cannot be written leaves the shutdown to systemd") {
        Bench bench;
        bench.surroundings.written = false;
        CHECK(bench.run() == End::left_to_system);
        CHECK(bench.script.calls == Names{"wait for other hooks", "write back"});
        CHECK(bench.journal.lines == Names{"what is to be written to disks was not written in time",
                                           "no device was touched: the jump is left to systemd"});
    }

    TEST_CASE("what came before the unbinding is taken from its budget") {
        Bench bench;
        bench.surroundings.takes = std::chrono::seconds(5);
        bench.surroundings.others = {"mdadm.shutdown"};
        CHECK(bench.run() == End::jump_failed);
        CHECK(bench.quiescer.budget == std::chrono::seconds(33));
        CHECK(bench.journal.lines.front() == "another hook of this shutdown still runs: mdadm.shutdown");

        Bench late;
        late.surroundings.takes = std::chrono::seconds(60);
        CHECK(late.run() == End::jump_failed);
        CHECK(late.quiescer.budget == std::chrono::seconds(1));
    }
}
