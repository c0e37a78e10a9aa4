// SPDX-License-Identifier: Apache-2.0
// stillboot list: the boot options, once or as they change.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "ui/cli/connection.hpp"
#include "ui/cli/json_output.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

using protocol::Option;
using protocol::OptionState;

std::string full_title(const Option& option) {
    std::string title;
    for (const std::string& submenu : option.submenus) {
        title += submenu + " > ";
    }
    return title + option.title;
}

void print_option(const Context& context, const std::string& mark, const Option& option, int columns) {
    const std::string title = full_title(option);
    const int missing = std::max(columns - menu::width(title, context.charset), 0);
    context.line(mark + title + std::string(static_cast<std::size_t>(missing), ' ') + "  " + option.id);
    if (option.state == OptionState::waiting) {
        const std::string reason = option.reason ? option.reason->sentence() : "a device";
        context.line("    waits: " + reason);
    }
}

ExitCode list_once(const Context& context) {
    auto connection = Connection::open(context);
    if (!connection) {
        return report(context, connection.error());
    }
    auto reply = connection->call<protocol::ListOptions>();
    if (!reply) {
        return report(context, reply.error());
    }
    if (context.wants_json()) {
        print_json(context, protocol::to_json(*reply));
        return ExitCode::done;
    }
    if (reply->options.empty()) {
        context.line("Nothing can be booted now. What was found on each device: stillboot devices");
    }
    int columns = 0;
    for (const Option& option : reply->options) {
        columns = std::max(columns, std::min(menu::width(full_title(option), context.charset), 60));
    }
    for (const Option& option : reply->options) {
        print_option(context, option.is_default ? "* " : "  ", option, columns);
    }
    return ExitCode::done;
}

void print_change(const Context& context, const protocol::Change& change) {
    if (context.wants_json()) {
        print_json_line(context, protocol::to_json(change));
        return;
    }
    for (const std::string& id : change.options_removed) {
        context.line("- " + id);
    }
    for (const Option& option : change.options) {
        print_option(context, "+ ", option, 0);
    }
}

ExitCode watch(const Context& context) {
    auto connection = Connection::open(context);
    if (!connection) {
        return report(context, connection.error());
    }
    if (auto begun = connection->stream<protocol::Watch>(); !begun) {
        return report(context, begun.error());
    }
    for (;;) {
        auto next = connection->next<protocol::Watch>();
        if (!next) {
            return report(context, next.error());
        }
        print_change(context, next->reply.change);
        if (next->last) {
            return ExitCode::done;
        }
    }
}

}  // namespace

void add_list(CLI::App& app, const Context& context, Action& action) {
    CLI::App* verb = app.add_subcommand("list", "The boot options; the default is marked with *");
    auto watching = std::make_shared<bool>(false);
    verb->add_flag("--watch", *watching, "Go on and print what comes (+) and goes (-)");
    verb->callback([&context, &action, watching] {
        action = [&context, watching] { return *watching ? watch(context) : list_once(context); };
    });
}

}  // namespace stillboot::cli
