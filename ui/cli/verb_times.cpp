// SPDX-License-Identifier: Apache-2.0
// stillboot times: how long the way from the daemon's start took, stage by stage.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "ui/cli/call_and_print.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

double seconds(std::uint64_t milliseconds) {
    return static_cast<double>(milliseconds) / 1000;
}

void print_times(const Context& context, const protocol::GetTimes::Reply& times) {
    context.line("   boot   start  stage");
    std::uint64_t before = 0;
    for (const protocol::Stage& stage : times.stages) {
        context.line(fmt::format(
            "{:7.3f} {:7.3f}  {}{}", seconds(times.boot_ms + stage.at_ms), seconds(stage.at_ms), stage.name,
            stage.at_ms > before ? fmt::format(" (+{:.3f})", seconds(stage.at_ms - before)) : ""));
        before = stage.at_ms;
    }
}

ExitCode show_times(const Context& context) {
    return call_and_print<protocol::GetTimes>(context, {},
                                              [&](const auto& reply) { print_times(context, reply); });
}

}  // namespace

void add_times(CLI::App& app, const Context& context, Action& action) {
    app.add_subcommand("times",
                       "When each stage was reached, in seconds since the kernel's boot and stillbootd's start")
        ->callback([&] { action = [&context] { return show_times(context); }; });
}

}  // namespace stillboot::cli
