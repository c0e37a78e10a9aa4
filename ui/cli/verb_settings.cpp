// SPDX-License-Identifier: Apache-2.0
// stillboot settings: all of them, one, or another value for one; and set-timeout, which is one of them by itself.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "config/parse/settings/value.hpp"
#include "ui/cli/call_and_print.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

using protocol::Setting;

struct Asked {
    std::optional<std::string> key;
    std::optional<std::string> value;
    bool once = false;
    bool forget = false;
};

void print_table(const Context& context, const std::vector<Setting>& settings) {
    std::size_t widest_key = 0;
    std::size_t widest_value = 0;
    for (const Setting& each : settings) {
        widest_key = std::max(widest_key, each.key.size());
        widest_value = std::max(widest_value, std::min<std::size_t>(each.value.size(), 40));
    }
    for (const Setting& each : settings) {
        context.line(
            fmt::format("{:<{}}  {:<{}}  {}", each.key, widest_key, each.value, widest_value, each.origin));
    }
}

// What the store has is worth a line where it is not what counts.
void print_one(const Context& context, const Setting& setting) {
    context.line(fmt::format("{} = {}  ({})", setting.key, setting.value, setting.origin));
    if (setting.stored && (*setting.stored != setting.value || setting.origin != "state store")) {
        context.line(
            fmt::format("  the state store has {}, and {} comes before it", *setting.stored, setting.origin));
    }
    if (!setting.any_time) {
        context.line("  read when stillbootd starts: to be set in a file or on the kernel command line");
    }
}

ExitCode show(const Context& context, const std::optional<std::string>& key) {
    auto connection = Connection::open(context);
    if (!connection) {
        return report(context, connection.error());
    }
    auto reply = connection->call<protocol::GetSettings>();
    if (!reply) {
        return report(context, reply.error());
    }
    auto& settings = reply->settings;
    if (key) {
        std::erase_if(settings, [&](const Setting& each) { return each.key != *key; });
        if (settings.empty()) {
            (void)report(context, Error("config.setting_unknown", {{"key", *key}}));
            return ExitCode::not_found;
        }
    }
    if (context.wants_json()) {
        print_json(context, protocol::to_json(*reply));
    } else if (key) {
        print_one(context, settings.front());
    } else {
        print_table(context, settings);
    }
    return ExitCode::done;
}

ExitCode change(const Context& context, const Asked& asked) {
    protocol::SetSetting::Parameters parameters;
    parameters.key = *asked.key;
    parameters.value = asked.value;
    parameters.once = asked.once;
    const ExitCode code = call_and_print<protocol::SetSetting>(
        context, parameters, [&](const auto& reply) { print_one(context, reply.setting); });
    const auto why = code == ExitCode::refused ? check_key(*asked.key) : std::nullopt;
    return why && why->code() == "config.setting_unknown" ? ExitCode::not_found : code;
}

}  // namespace

void add_settings(CLI::App& app, const Context& context, Action& action) {
    CLI::App* verb = app.add_subcommand("settings", "All settings and where each is set, or change one");
    auto asked = std::make_shared<Asked>();
    auto* const key = verb->add_option("KEY", asked->key, "Only this one, such as timeout");
    auto* const value =
        verb->add_option("VALUE", asked->value, "Set it, in the state store; a list has commas in between")
            ->needs(key);
    auto* const once = verb->add_flag("--once", asked->once, "Set it for this start alone");
    verb->add_flag("--forget", asked->forget, "Forget what was said, in the state store or with --once")
        ->needs(key)
        ->excludes(value);
    verb->callback([&context, &action, asked, once] {
        if (once->count() != 0 && !asked->value && !asked->forget) {
            throw CLI::RequiredError("VALUE, or --forget,");
        }
        action = [&context, asked] {
            return asked->value || asked->forget ? change(context, *asked) : show(context, asked->key);
        };
    });
}

void add_set_timeout(CLI::App& app, const Context& context, Action& action) {
    CLI::App* verb = app.add_subcommand("set-timeout", "How long the countdown is; as: settings timeout SECONDS");
    auto asked = std::make_shared<Asked>();
    asked->key = "timeout";
    verb->add_option("SECONDS", asked->value, "Or never: nothing boots by itself")->required();
    verb->add_flag("--once", asked->once, "For this start alone");
    verb->callback([&context, &action, asked] { action = [&context, asked] { return change(context, *asked); }; });
}

}  // namespace stillboot::cli
