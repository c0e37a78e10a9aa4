// SPDX-License-Identifier: Apache-2.0
// stillboot attempts: the last boots that were tried, and how each ended.
#include <time.h>

#include <CLI/CLI.hpp>
#include <array>

#include "ui/cli/call_and_print.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

using protocol::Attempt;
using protocol::AttemptEnd;

std::string time_words(std::int64_t seconds) {
    const auto when = static_cast<time_t>(seconds);
    struct tm parts{};
    std::array<char, 32> text{};
    ::localtime_r(&when, &parts);
    return {text.data(), ::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts)};
}

std::string_view code_of(AttemptEnd end) {
    switch (end) {
        case AttemptEnd::under_way: return "cli.attempt_under_way";
        case AttemptEnd::jumped: return "cli.attempt_jumped";
        case AttemptEnd::failed: return "cli.attempt_failed";
        case AttemptEnd::cancelled: return "cli.attempt_cancelled";
        case AttemptEnd::cut_off: return "cli.attempt_cut_off";
        case AttemptEnd::went_down: return "cli.attempt_went_down";
        case AttemptEnd::restarted: return "cli.attempt_restarted";
        case AttemptEnd::watchdog: return "cli.attempt_watchdog";
        case AttemptEnd::good: break;
    }
    return "cli.attempt_good";
}

void print_attempts(const Context& context, const std::vector<Attempt>& attempts) {
    if (attempts.empty()) {
        context.line("No boot is remembered.");
    }
    for (const Attempt& attempt : attempts) {
        context.line(time_words(attempt.time_s) + "  " + attempt.title);
        context.line("    " +
                     Message(std::string(code_of(attempt.end)),
                             std::vector<Message::Param>{{"step", attempt.step}, {"reason", attempt.reason}})
                         .sentence());
        if (!attempt.by.empty()) {
            context.line("    wanted by: " + attempt.by);
        }
    }
}

ExitCode show_attempts(const Context& context) {
    return call_and_print<protocol::ListAttempts>(
        context, {}, [&](const auto& reply) { print_attempts(context, reply.attempts); });
}

}  // namespace

void add_attempts(CLI::App& app, const Context& context, Action& action) {
    app.add_subcommand("attempts", "The last boots that were tried, by whom, and how each ended")->callback([&] {
        action = [&context] { return show_attempts(context); };
    });
}

}  // namespace stillboot::cli
