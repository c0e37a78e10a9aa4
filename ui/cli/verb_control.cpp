// SPDX-License-Identifier: Apache-2.0
// stillboot cancel, rescan, reboot and poweroff: orders without much to print.
#include <CLI/CLI.hpp>

#include "ui/cli/connection.hpp"
#include "ui/cli/json_output.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

/// Calls a method and prints the reply, as JSON or by the given words.
template <class Method, class Words>
ExitCode order(const Context& context, const typename Method::Parameters& parameters, Words words) {
    auto connection = Connection::open(context);
    if (!connection) {
        return report(context, connection.error());
    }
    auto reply = connection->call<Method>(parameters);
    if (!reply) {
        return report(context, reply.error());
    }
    if (context.wants_json()) {
        print_json(context, protocol::to_json(*reply));
    } else {
        context.line(words(*reply));
    }
    return ExitCode::done;
}

std::string words_of(const protocol::Cancel::Reply& reply) {
    switch (reply.cancelled) {
        case protocol::Cancelled::nothing: return "There was nothing to stop.";
        case protocol::Cancelled::countdown: return "The countdown is stopped. To boot: stillboot boot @default";
        case protocol::Cancelled::handover: break;
    }
    return "The boot is stopped; what was done is undone. How that goes: stillboot status";
}

}  // namespace

void add_cancel(CLI::App& app, const Context& context, Action& action) {
    app.add_subcommand("cancel", "Stop the countdown, or a boot under way")->callback([&] {
        action = [&context] { return order<protocol::Cancel>(context, {}, words_of); };
    });
}

void add_rescan(CLI::App& app, const Context& context, Action& action) {
    CLI::App* verb = app.add_subcommand("rescan", "Look at the devices again");
    auto device = std::make_shared<std::optional<std::string>>();
    verb->add_option("DEVICE", *device, "Only this one: an id of `stillboot devices`");
    verb->callback([&context, &action, device] {
        action = [&context, device] {
            protocol::Rescan::Parameters parameters;
            parameters.device = *device;
            return order<protocol::Rescan>(context, parameters, [](const auto&) {
                return std::string("Looking again. What is found: stillboot list");
            });
        };
    });
}

void add_reboot(CLI::App& app, const Context& context, Action& action) {
    app.add_subcommand("reboot", "Restart the machine through its firmware")->callback([&] {
        action = [&context] {
            return order<protocol::Reboot>(context, {}, [](const auto&) { return std::string("Restarting."); });
        };
    });
}

void add_poweroff(CLI::App& app, const Context& context, Action& action) {
    app.add_subcommand("poweroff", "Switch the machine off")->callback([&] {
        action = [&context] {
            return order<protocol::PowerOff>(context, {},
                                             [](const auto&) { return std::string("Switching off."); });
        };
    });
}

}  // namespace stillboot::cli
