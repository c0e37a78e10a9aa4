// SPDX-License-Identifier: Apache-2.0
// The command line: general options, verbs, and what is said where it makes no sense.
#include "ui/cli/program.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ostream>

#include "daemon/protocol/methods.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

// In the order of the help.
constexpr AddVerb verbs[] = {
    add_status,   add_list,     add_boot,    add_cancel,     add_menu,        add_devices,     add_rescan,
    add_add,      add_explain,  add_quiesce, add_load,       add_log,         add_wait,        add_clients,
    add_settings, add_system,   add_times,   add_bug_report, add_set_default, add_set_oneshot, add_set_timeout,
    add_reboot,   add_poweroff, add_keys,    add_password,   add_attempts,    add_bless,       add_bridge};

struct General {
    std::string json = "off";
    std::string host;
    tls::Files files;
};

/// $XDG_CONFIG_HOME/stillboot, or ~/.config/stillboot; empty where neither is known.
std::string own_directory() {
    const char* base = std::getenv("XDG_CONFIG_HOME");
    if (base != nullptr && *base == '/') {
        return std::string(base) + "/stillboot";
    }
    const char* home = std::getenv("HOME");
    return home != nullptr && *home == '/' ? std::string(home) + "/.config/stillboot" : "";
}

/// What the options leave open is in the user's own directory.
tls::Files with_defaults(tls::Files files) {
    const std::string own = own_directory();
    const auto fill = [&](std::string& path, const char* name) { path = path.empty() ? own + name : path; };
    fill(files.certificate, "/client.pem");
    fill(files.key, "/client.key");
    fill(files.authority, "/ca.pem");
    return files;
}

void describe(CLI::App& app, General& general, Context& context) {
    app.description(
        "Stillboot finds what this machine can boot, and boots it.\n"
        "Without a verb: where things stand.");
    app.set_version_flag("--version", std::string("stillboot ") + STILLBOOT_VERSION);
    app.fallthrough();
    app.require_subcommand(0, 1);
    // Flags with values, so that "explain --json DIR" leaves DIR alone.
    app.add_flag("--json{pretty}", general.json, "Print data as JSON: --json=pretty|short|off")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->type_name("");
    app.add_option("--host", general.host,
                   "The daemon to talk to: unix:PATH, ssh://[USER@]HOST[:PORT] or tls://HOST[:PORT] (default: "
                   "this machine's)");
    app.add_option("--cert", general.files.certificate,
                   "With tls: the own certificate (~/.config/stillboot/client.pem)");
    app.add_option("--key", general.files.key, "With tls: its key (~/.config/stillboot/client.key)");
    app.add_option("--ca", general.files.authority,
                   "With tls: who signs for that machine (~/.config/stillboot/ca.pem)");
    app.add_option("--root", context.root, "Take this directory for / where the machine itself is looked at");
}

/// Puts the general options into the context. @error cli.json_form, cli.host
Result<void> apply(const General& general, Context& context) {
    if (general.json == "pretty") {
        context.json = JsonForm::pretty;
    } else if (general.json == "short") {
        context.json = JsonForm::compact;
    } else if (general.json != "off") {
        return Error("cli.json_form", {{"form", general.json}});
    }
    context.daemon = std::string(protocol::default_socket);
    if (!general.host.empty()) {
        const auto address = client::parse_address(general.host);
        if (!address) {
            return Error("cli.host", {{"host", general.host}});
        }
        context.daemon = *address;
        context.host_named = true;
        context.daemon.files = with_defaults(general.files);
    }
    return {};
}

/// The verb that is given, where it acts on this machine and asks no daemon; or empty.
std::string verb_of_this_machine(const CLI::App& app) {
    const auto verb = app.get_subcommands();
    if (verb.empty()) {
        return {};
    }
    const std::string name = verb.front()->get_name();
    if (name == "quiesce") {
        const std::string below = verb.front()->get_subcommands().front()->get_name();
        return below == "plan" ? "" : name + " " + below;
    }
    if (name == "password") {
        return verb.front()->count("--set") == 0 && verb.front()->count("--ask") == 0 ? name : "";
    }
    constexpr std::string_view others[] = {"bless", "explain", "keys", "load"};
    return std::find(std::begin(others), std::end(others), name) != std::end(others) ? name : "";
}

ExitCode usage_error(const Context& context, const CLI::App& app, std::string_view text) {
    const auto chosen = app.get_subcommands();
    const std::string verb = chosen.empty() ? "" : " " + chosen.front()->get_name();
    context.complain("stillboot: " + std::string(text));
    context.complain(Message("cli.hint_help", {{"verb", verb}}).sentence());
    return ExitCode::usage;
}

// What the library says, but for what it cannot know: that an unexpected first word was meant as a verb.
std::string words_of(const CLI::App& app, const CLI::ParseError& error) {
    const auto chosen = app.get_subcommands();
    const CLI::App& at = chosen.empty() ? app : *chosen.front();
    const auto choice = at.get_subcommands([](const CLI::App*) { return true; });
    const auto left = app.remaining(true);
    if (choice.empty() || (&at != &app && !at.get_subcommands().empty())) {
        return error.what();
    }
    if (!left.empty() && left.front().rfind('-', 0) == 0) {
        return Message("cli.unknown_option", {{"word", left.front()}}).sentence();
    }
    std::string known;
    for (const CLI::App* verb : choice) {
        known += (known.empty() ? "" : ", ") + verb->get_name();
    }
    if (left.empty()) {
        return error.get_name() == "RequiredError" ? Message("cli.verb_wanted", {{"verbs", known}}).sentence()
                                                   : std::string(error.what());
    }
    return Message("cli.unknown_verb", {{"word", left.front()}, {"verbs", known}}).sentence();
}

}  // namespace

ExitCode run_program(std::vector<std::string> arguments, Context& context) {
    CLI::App app("", "stillboot");
    General general;
    Action action;
    describe(app, general, context);
    for (const AddVerb add : verbs) {
        add(app, context, action);
    }
    // After the verbs, which would inherit it.
    app.footer(
        "Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 stillbootd unreachable.\n"
        "Help for a verb: stillboot VERB --help");
    try {
        std::reverse(arguments.begin(), arguments.end());  // the library takes them from the back
        app.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
        const auto chosen = app.get_subcommands();
        context.out << (chosen.empty() ? app.help() : chosen.front()->help("stillboot"));
        return ExitCode::done;
    } catch (const CLI::CallForAllHelp&) {
        context.out << app.help("", CLI::AppFormatMode::All);
        return ExitCode::done;
    } catch (const CLI::CallForVersion& version) {
        context.out << version.what() << '\n';
        return ExitCode::done;
    } catch (const CLI::ParseError& error) {
        return usage_error(context, app, words_of(app, error));
    }
    if (const auto applied = apply(general, context); !applied) {
        return usage_error(context, app, applied.error().sentence());
    }
    if (const std::string verb = verb_of_this_machine(app); context.host_named && !verb.empty()) {
        return usage_error(context, app, Message("cli.host_unused", {{"verb", verb}}).sentence());
    }
    const ExitCode code = action ? action() : show_status(context);
    context.out.flush();
    if (!context.out && code == ExitCode::done) {  // a full disk: what was asked for is not there
        return report(context, Error::from_errno(errno, "base.write_failed", {{"path", "-"}}));
    }
    return code;
}

}  // namespace stillboot::cli
