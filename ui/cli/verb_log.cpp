// SPDX-License-Identifier: Apache-2.0
// stillboot log: what the daemon has done and said.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <ctime>
#include <ostream>

#include "ui/cli/connection.hpp"
#include "ui/cli/json_output.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

using protocol::LogLine;
using protocol::LogSeverity;

std::string_view word_of(LogSeverity severity) {
    switch (severity) {
        case LogSeverity::debug: return "debug: ";
        case LogSeverity::info: return "";
        case LogSeverity::warning: return "warning: ";
        case LogSeverity::error: return "error: ";
    }
    return "";
}

void print_lines(const Context& context, const std::vector<LogLine>& lines) {
    for (const LogLine& line : lines) {
        const auto seconds = static_cast<std::time_t>(line.time_ms / 1000);
        std::tm clock = {};
        ::localtime_r(&seconds, &clock);
        context.line(fmt::format("{:02}:{:02}:{:02}.{:03} {}{}", clock.tm_hour, clock.tm_min, clock.tm_sec,
                                 line.time_ms % 1000, word_of(line.severity), line.text));
    }
}

ExitCode show_log(const Context& context) {
    auto connection = Connection::open(context);
    if (!connection) {
        return report(context, connection.error());
    }
    auto reply = connection->call<protocol::GetLog>();
    if (!reply) {
        return report(context, reply.error());
    }
    if (context.wants_json()) {
        print_json(context, protocol::to_json(*reply));
    } else {
        print_lines(context, reply->lines);
    }
    return ExitCode::done;
}

ExitCode follow_log(const Context& context) {
    auto connection = Connection::open(context);
    if (!connection) {
        return report(context, connection.error());
    }
    if (auto begun = connection->stream<protocol::GetLog>(); !begun) {
        return report(context, begun.error());
    }
    for (;;) {
        auto next = connection->next<protocol::GetLog>();
        if (!next) {
            return report(context, next.error());
        }
        if (context.wants_json()) {
            print_json_line(context, protocol::to_json(next->reply));
        } else {
            print_lines(context, next->reply.lines);
        }
        if (next->last || !context.out) {  // a full disk, which run_program() tells of
            return ExitCode::done;
        }
    }
}

}  // namespace

void add_log(CLI::App& app, const Context& context, Action& action) {
    CLI::App* verb = app.add_subcommand("log", "What stillbootd has done and said");
    auto follow = std::make_shared<bool>(false);
    verb->add_flag("-f,--follow", *follow, "Go on with each new line");
    verb->callback([&context, &action, follow] {
        action = [&context, follow] { return *follow ? follow_log(context) : show_log(context); };
    });
}

}  // namespace stillboot::cli
