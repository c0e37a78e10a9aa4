// SPDX-License-Identifier: Apache-2.0
// stillboot password: makes the hash of a new password for locked consoles, or asks for the one that is set.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "daemon/password/hasher.hpp"
#include "ui/cli/ask_secret.hpp"
#include "ui/cli/call_and_print.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

using password::max_password_bytes;

// Twice where it is typed unseen.
Result<std::string> new_password() {
    auto first = ask_secret("New password: ", max_password_bytes);
    if (!first) {
        return first;
    }
    if (auto fits = password::check_text(*first); !fits) {
        password::wipe(*first);
        return fits.error();
    }
    if (!someone_types()) {
        return first;
    }
    auto second = ask_secret("Once more: ", max_password_bytes);
    const bool same = second && *first == *second;
    if (second) {
        password::wipe(*second);
    }
    if (same) {
        return first;
    }
    password::wipe(*first);
    return second ? Error("cli.passwords_differ") : second.error();
}

ExitCode keep(const Context& context, const std::string& hash) {
    protocol::SetSetting::Parameters parameters;
    parameters.key = "password";
    parameters.value = hash;
    return call_and_print<protocol::SetSetting>(context, parameters, [&](const auto& reply) {
        context.line("password = " + reply.setting.value + "  (" + reply.setting.origin + ")");
    });
}

ExitCode make(const Context& context, bool set) {
    auto text = new_password();
    if (!text) {
        return report(context, text.error());
    }
    const auto hash = password::make_hash(std::move(*text));
    if (!hash) {
        return report(context, hash.error());
    }
    if (set) {
        return keep(context, *hash);
    }
    if (context.wants_json()) {
        print_json(context, boost::json::object{{"password", *hash}});
    } else {
        context.line("password = \"" + *hash + "\"");
    }
    return ExitCode::done;
}

// Without the daemon nobody can compare a password: the files say whether one would be needed.
ExitCode without_daemon(const Context& context, const Error& why) {
    return locked_by_files(context.root) ? report(context, why) : ExitCode::done;
}

ExitCode ask(const Context& context) {
    auto connection = Connection::open(context);
    if (!connection) {
        return without_daemon(context, connection.error());
    }
    auto state = connection->call<protocol::GetState>();
    if (!state) {
        return report(context, state.error());
    }
    if (!state->state.lock) {
        return ExitCode::done;
    }
    if (auto locked = connection->call<protocol::LockConsole>(); !locked) {
        return report(context, locked.error());
    }
    auto text = ask_secret("This console is locked. Password: ", max_password_bytes);
    if (!text) {
        (void)report(context, text.error());
        return ExitCode::refused;
    }
    protocol::UnlockConsole::Parameters parameters;
    parameters.password = *text;
    const auto unlocked = connection->call<protocol::UnlockConsole>(parameters);
    password::wipe(*text);
    password::wipe(parameters.password);
    return unlocked ? ExitCode::done : report(context, unlocked.error());
}

}  // namespace

void add_password(CLI::App& app, const Context& context, Action& action) {
    CLI::App* verb = app.add_subcommand("password", "Make the password of locked consoles");
    auto set = std::make_shared<bool>(false);
    auto asks = std::make_shared<bool>(false);
    auto* const sets = verb->add_flag("--set", *set, "Keep it in the state store, instead of printing its hash");
    verb->add_flag("--ask", *asks, "Ask for the password that is set; done where none is needed")->excludes(sets);
    verb->callback([&context, &action, set, asks] {
        action = [&context, set, asks] { return *asks ? ask(context) : make(context, *set); };
    });
}

}  // namespace stillboot::cli
