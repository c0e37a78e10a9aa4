// SPDX-License-Identifier: Apache-2.0
// stillboot clients: who is connected to the daemon.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <ctime>

#include "ui/cli/call_and_print.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

void print_client(const Context& context, const protocol::Client& client) {
    const auto seconds = static_cast<std::time_t>(client.since_ms / 1000);
    std::tm clock = {};
    ::localtime_r(&seconds, &clock);
    std::string line =
        fmt::format("{:02}:{:02}:{:02}  {}", clock.tm_hour, clock.tm_min, clock.tm_sec, client.peer);
    if (client.method) {
        line += "  " + *client.method;
    }
    if (client.queued_bytes != 0) {
        line += "  " + menu::human_size(client.queued_bytes) + " not read yet";
    }
    context.line(line);
}

ExitCode show_clients(const Context& context) {
    return call_and_print<protocol::ListClients>(context, {}, [&](const auto& reply) {
        for (const auto& client : reply.clients) {
            print_client(context, client);
        }
    });
}

}  // namespace

void add_clients(CLI::App& app, const Context& context, Action& action) {
    app.add_subcommand("clients", "Who is connected to stillbootd, since when, and what each waits for")
        ->callback([&] { action = [&context] { return show_clients(context); }; });
}

}  // namespace stillboot::cli
