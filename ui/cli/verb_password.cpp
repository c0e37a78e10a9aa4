// SPDX-License-Identifier: Apache-2.0
// stillboot password: makes the hash of a new password for locked consoles, or asks for the one that is set.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <thread>

#include "config/base/root.hpp"
#include "config/parse/settings/settings.hpp"
#include "daemon/password/hasher.hpp"
#include "ui/cli/ask_secret.hpp"
#include "ui/cli/call_and_print.hpp"
#include "ui/cli/verbs.hpp"
#include "ui/menu/console_lock.hpp"

namespace stillboot::cli {
namespace {

using password::max_password_bytes;
constexpr std::chrono::milliseconds between_attempts{500};

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

// What is not locked by the files may be by the state store, which the daemon alone has read.
bool store_may_lock(const Context& context) {
    const auto root = Root::open(context.root);
    return root && !locked_by_files(context.root) && load_settings(*root).settings.state_store.value != "none";
}

// One that is being started anew is waited for, as long as a menu does.
Result<Connection> open_patiently(const Context& context) {
    const auto until = std::chrono::steady_clock::now() + menu::ConsoleLock::away_limit;
    for (;;) {
        auto connection = Connection::open(context);
        if (connection || !store_may_lock(context) || std::chrono::steady_clock::now() >= until) {
            return connection;
        }
        std::this_thread::sleep_for(between_attempts);
    }
}

// Without the daemon nobody can compare a password: the files say whether one would be needed.
ExitCode without_daemon(const Context& context, const Error& why) {
    return locked_by_files(context.root) ? report(context, why) : ExitCode::done;
}

ExitCode ask(const Context& context) {
    auto connection = open_patiently(context);
    if (!connection) {
        return without_daemon(context, connection.error());
    }
    auto state = connection->call<protocol::GetState>();
    if (!state) {
        return report(context, state.error());
    }
    if (state->state.lock_unknown) {
        (void)report(context, Error("daemon.lock_unknown"));
        return ExitCode::refused;
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
    if (!unlocked && unlocked.error().message().param("wait_ms") == "0") {
        (void)report(context, Error("daemon.wrong_password_free"));
        return ExitCode::refused;
    }
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
