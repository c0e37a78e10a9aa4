// SPDX-License-Identifier: Apache-2.0
// stillboot cancel, rescan, set-default, set-oneshot, reboot and poweroff: orders without much to print.
#include <CLI/CLI.hpp>

#include "ui/cli/call_and_print.hpp"
#include "ui/cli/verbs.hpp"

namespace stillboot::cli {
namespace {

/// The reply in a line of words.
template <class Method, class Words>
ExitCode order(const Context& context, const typename Method::Parameters& parameters, Words words) {
    return call_and_print<Method>(context, parameters, [&](const auto& reply) { context.line(words(reply)); });
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

namespace {

// For each start or for the next: the same words on the command line, another method.
template <class Method>
void add_choice(CLI::App* verb, const Context& context, Action& action, std::string_view chosen,
                std::string_view forgotten) {
    auto option = std::make_shared<std::optional<std::string>>();
    auto forget = std::make_shared<bool>(false);
    auto* const which = verb->add_option("OPTION", *option, "An id or a title of `stillboot list`, or @default");
    verb->add_flag("--forget", *forget, "Forget what was chosen")->excludes(which);
    verb->callback([&context, &action, option, forget, chosen, forgotten] {
        if (!*option && !*forget) {
            throw CLI::RequiredError("OPTION, or --forget,");
        }
        action = [&context, option, chosen, forgotten] {
            typename Method::Parameters parameters;
            parameters.option = *option;
            return order<Method>(context, parameters, [chosen, forgotten](const auto& reply) {
                return reply.option ? std::string(chosen) + *reply.option : std::string(forgotten);
            });
        };
    });
}

}  // namespace

void add_set_default(CLI::App& app, const Context& context, Action& action) {
    add_choice<protocol::SetDefault>(app.add_subcommand("set-default", "Choose what boots from now on"), context,
                                     action, "By itself boots from now on ", "No default is saved any more.");
}

void add_set_oneshot(CLI::App& app, const Context& context, Action& action) {
    add_choice<protocol::SetOneShot>(app.add_subcommand("set-oneshot", "Choose what boots next, once"), context,
                                     action, "Once, and next, boots ", "Nothing is chosen for once any more.");
}

void add_reboot(CLI::App& app, const Context& context, Action& action) {
    CLI::App* verb = app.add_subcommand("reboot", "Restart the machine through its firmware");
    auto setup = std::make_shared<bool>(false);
    verb->add_flag("--firmware-setup", *setup, "Have the firmware open its setup");
    verb->callback([&context, &action, setup] {
        action = [&context, setup] {
            protocol::Reboot::Parameters parameters;
            parameters.firmware_setup = *setup ? std::optional(true) : std::nullopt;
            return order<protocol::Reboot>(context, parameters, [setup](const auto&) {
                return std::string(*setup ? "Restarting; the firmware opens its setup." : "Restarting.");
            });
        };
    });
}

void add_poweroff(CLI::App& app, const Context& context, Action& action) {
    app.add_subcommand("poweroff", "Switch the machine off")->callback([&] {
        action = [&context] {
            return order<protocol::PowerOff>(context, protocol::PowerOff::Parameters(),
                                             [](const auto&) { return std::string("Switching off."); });
        };
    });
}

}  // namespace stillboot::cli
