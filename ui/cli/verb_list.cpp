// SPDX-License-Identifier: Apache-2.0
// stillboot list: the boot options, once or as they change.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <thread>

#include "daemon/client/place.hpp"
#include "ui/cli/connection.hpp"
#include "ui/cli/json_output.hpp"
#include "ui/cli/reconnecting.hpp"
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
    if (option.tries && option.tries->left == 0) {
        context.line("    " + Message("ui.no_tries").sentence());
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
    auto state = connection->call<protocol::GetState>();
    if (!state) {
        return report(context, state.error());
    }
    if (reply->options.empty()) {
        context.line("Nothing can be booted now. What was found on each device: stillboot devices");
    }
    int columns = 0;
    for (const Option& option : reply->options) {
        columns = std::max(columns, std::min(menu::width(full_title(option), context.charset), 60));
    }
    for (const Option& option : reply->options) {
        print_option(context, option.id == state->state.default_option ? "* " : "  ", option, columns);
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

/// One connection's worth: the last reply, or what ended it.
Result<void> follow(const Context& context, client::Place& place, Reconnecting& reconnecting) {
    auto connection = Connection::open(context);
    if (!connection) {
        return connection.error();
    }
    if (auto begun = connection->stream<protocol::Watch>(place.begin()); !begun) {
        return begun.error();
    }
    for (bool first = true;; first = false) {
        auto next = connection->next<protocol::Watch>();
        if (!next) {
            return next.error();
        }
        const bool heard = reconnecting.heard();
        if (place.take(next->reply) && heard) {
            context.complain(Message("cli.watch_anew").sentence());
        }
        const bool repeats = first && heard && !next->reply.change.whole;  // it goes on, with nothing in it yet
        if (!repeats) {
            print_change(context, next->reply.change);
        }
        reconnecting.on_heard();
        if (next->last || !context.out) {  // a full disk, which run_program() tells of
            return {};
        }
    }
}

// A daemon that is not there yet, and a connection that is lost, are tried again, and it goes on where it was.
ExitCode watch(const Context& context) {
    client::Place place;
    Reconnecting reconnecting(context);
    for (;;) {
        const auto followed = follow(context, place, reconnecting);
        if (followed) {
            return ExitCode::done;
        }
        if (reconnecting.ends_with(followed.error())) {
            return report(context, followed.error());
        }
        std::this_thread::sleep_for(reconnecting.pause_after(followed.error()));
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
