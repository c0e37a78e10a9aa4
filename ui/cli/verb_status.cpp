// SPDX-License-Identifier: Apache-2.0
// stillboot status: where things stand, what would boot when, and why.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "ui/cli/connection.hpp"
#include "ui/cli/json_output.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

using protocol::Phase;
using protocol::State;

/// The title of an option, or its id where it has gone meanwhile.
std::string title_of(const std::vector<protocol::Option>& options, const std::string& id) {
    const auto found =
        std::find_if(options.begin(), options.end(), [&](const auto& each) { return each.id == id; });
    return found == options.end() ? id : found->title;
}

std::string headline(const State& state, const std::string& title, bool has_options) {
    switch (state.phase) {
        case Phase::discovering:
            return title.empty() ? "Still looking for what can be booted."
                                 : "Still looking for what can be booted; so far it would be " + title + ".";
        case Phase::waiting:
            return "Waiting, for " + std::to_string((state.remaining_ms.value_or(0) + 999) / 1000) + " s at most.";
        case Phase::countdown:
            return title + " boots in " + std::to_string((state.remaining_ms.value_or(0) + 999) / 1000) + " s.";
        case Phase::handover: return title + " is being booted.";
        case Phase::idle: break;
    }
    if (title.empty()) {
        return has_options ? "Nothing boots by itself." : "Nothing can be booted now.";
    }
    return "Nothing boots by itself. The default is " + title + ".";
}

void print_state(const Context& context, const State& state, const std::vector<protocol::Option>& options) {
    const std::string meant = state.would_boot.value_or(state.default_option.value_or(""));
    const std::string id = state.progress ? state.progress->option : meant;
    context.line(headline(state, id.empty() ? "" : title_of(options, id), !options.empty()));
    const auto detail = [&](std::string_view name, const std::string& text) {
        if (!text.empty()) {
            context.line("  " + std::string(name) + ": " + text);
        }
    };
    detail("option", id);
    detail("why", state.why.sentence());
    if (state.progress) {
        detail("now", state.progress->step + ": " + state.progress->message.sentence());
    }
    for (const protocol::Beaten& beaten : state.beaten) {
        detail("instead of", beaten.title + ", " + beaten.by.sentence());
    }
    if (state.better_default) {
        detail("a better default has come since", title_of(options, *state.better_default));
    }
    if (state.last_failure) {
        detail("the last boot failed", state.last_failure->sentence());
    }
    for (const Message& notice : state.notices) {
        detail("note", notice.sentence());
    }
    if (state.strict) {
        detail("strict mode", "nothing at a console stops or changes what boots");
    }
    if (state.lock && !state.lock_unknown) {
        detail("consoles", "locked until the password is given there");
    }
    if (state.lock_unknown) {
        detail("consoles", "locked or not as the state store says, which is not read yet");
    }
    if (state.phase == Phase::waiting || state.phase == Phase::countdown || state.phase == Phase::handover) {
        detail("to stop it", "stillboot cancel");
    }
}

}  // namespace

ExitCode show_status(const Context& context) {
    auto connection = Connection::open(context);
    if (!connection) {
        return report(context, connection.error());
    }
    auto state = connection->call<protocol::GetState>();
    if (!state) {
        return report(context, state.error());
    }
    if (context.wants_json()) {
        print_json(context, protocol::to_json(state->state));
        return ExitCode::done;
    }
    auto options = connection->call<protocol::ListOptions>();
    if (!options) {
        return report(context, options.error());
    }
    print_state(context, state->state, options->options);
    return ExitCode::done;
}

void add_status(CLI::App& app, const Context& context, Action& action) {
    app.add_subcommand("status", "Where things stand, what would boot when, and why")->callback([&] {
        action = [&context] { return show_status(context); };
    });
}

}  // namespace stillboot::cli
