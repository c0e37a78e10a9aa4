// SPDX-License-Identifier: Apache-2.0
// The decisions of the hook.
#include "kexec/hook/hook.hpp"

#include <algorithm>
#include <optional>

#include "kexec/handover/report.hpp"
#include "quiesce/jump_report.hpp"

namespace stillboot::hook {
namespace {

using namespace std::chrono_literals;

constexpr auto other_hooks_deadline = 5s;
constexpr auto write_back_deadline = 10s;
constexpr auto verify_reserve = 2s;  // it waits up to a second for pending transactions

/// Kept for one of its users, and not by a rule: every message of a user names what is used.
bool is_in_use(const quiesce::Kept& kept) {
    return !kept.reason.param("source").empty();
}

class Hook {
public:
    Hook(const HookSettings& settings, const Ports& ports)
        : settings_(settings), ports_(ports), began_(ports.clock.now()) {}

    End run() {
        if (!prepare()) {
            return End::left_to_system;
        }
        auto plan = ports_.quiescer.plan();
        if (!plan) {
            say(plan.error().message());
            say(Message("hook.left_to_system"));
            return End::left_to_system;
        }
        if (plan->hands_off) {
            say(Message("hook.switched_off"));
            return End::left_to_system;
        }
        if (plan->refused()) {
            std::for_each(plan->refusals.begin(), plan->refusals.end(), [this](const Message& why) { say(why); });
            say(Message("hook.left_to_system"));
            return End::left_to_system;
        }
        tell_plan(*plan);
        quiesce::RunnerOptions options;
        options.budget = std::max<std::chrono::seconds>(1s, left() - verify_reserve);
        const quiesce::Execution execution = ports_.quiescer.execute(*plan, options);
        return finish(*plan, execution);
    }

private:
    void say(const Message& message) { ports_.journal.line(message); }

    std::chrono::seconds left() const {
        const auto spent = ports_.clock.now() - began_;
        return std::chrono::duration_cast<std::chrono::seconds>(settings_.budget - spent);
    }

    bool prepare() {
        const auto others = ports_.surroundings.wait_for_other_hooks(other_hooks_deadline);
        for (const std::string& name : others) {
            say(Message("hook.other_hook", {{"name", name}}));
        }
        if (!ports_.surroundings.write_back(write_back_deadline)) {
            say(Message("hook.not_written_back"));
            say(Message("hook.left_to_system"));
            return false;
        }
        return true;
    }

    void tell_plan(const quiesce::Plan& plan) {
        say(Message("hook.begins", {{"devices", std::uint64_t{plan.steps.size()}},
                                    {"kept", std::uint64_t{plan.kept.size()}},
                                    {"seconds", std::int64_t{settings_.budget.count()}}}));
        for (const quiesce::Kept& kept : plan.kept) {
            if (is_in_use(kept)) {
                say(Message("hook.kept_in_use", {{"device", kept.name}, {"reason", kept.reason.sentence()}}));
            }
        }
    }

    End finish(const quiesce::Plan& plan, const quiesce::Execution& execution) {
        // The executor has said what failed. What it left bound the kernel's own shutdown stops, as it would
        // without us: that is no reason not to jump.
        if (execution.holds_a_lock()) {
            if (settings_.on_hang == AfterTrouble::restart) {
                restart("hook.restart_hung");
            }
            return jump("hook.jump_hung");  // the lock may still be given back, and nothing else is left
        }
        const bool moving = !at_rest(plan, execution);
        if (moving && settings_.on_moving == AfterTrouble::restart) {
            restart("hook.restart_moving");
            // systemd restarts where it finds no kernel to jump into.
            if (auto unloaded = ports_.loader.unload(); !unloaded) {
                say(unloaded.error().message());
            }
            say(Message("hook.left_to_system"));
            return End::left_to_system;
        }
        return jump(moving ? "hook.jump_moving" : "hook.jumping");
    }

    bool at_rest(const quiesce::Plan& plan, const quiesce::Execution& execution) {
        const auto verification = ports_.quiescer.verify(plan);
        if (!verification) {
            say(verification.error().message());
            return false;
        }
        for (const quiesce::Verdict& verdict : verification->verdicts) {
            if (verdict.rest == quiesce::Rest::contained || verdict.rest == quiesce::Rest::moving) {
                say(Message(
                    "hook.verdict",
                    {{"device", verdict.name}, {"rest", to_word(verdict.rest)}, {"why", verdict.why.sentence()}}));
            }
        }
        say(handover::checked(*verification));
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(ports_.clock.now() - began_);
        ports_.journal.keep(quiesce::PersistentLog::line_of(
            quiesce::done_report(*verification, execution.outcomes, took, execution.record.boot_id)));
        return verification->may_jump();
    }

    void restart(std::string_view code) {
        say(Message(code));
        say(ports_.restarter.restart().message());
    }

    End jump(std::string_view code) {
        const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(ports_.clock.now() - began_);
        say(Message(code, {{"elapsed_ms", std::int64_t{spent.count()}}}));
        say(ports_.loader.jump().message());
        return End::jump_failed;
    }

    const HookSettings& settings_;
    const Ports& ports_;
    Clock::Instant began_;
};

}  // namespace

End run(std::string_view argument, const HookSettings& settings, const Ports& ports) {
    if (argument != "kexec") {
        return End::not_asked;
    }
    const auto loaded = ports.loader.loaded();
    if (!loaded || !*loaded) {
        ports.journal.line(loaded ? Message("hook.nothing_loaded") : loaded.error().message());
        return End::not_asked;
    }
    return Hook(settings, ports).run();
}

}  // namespace stillboot::hook
