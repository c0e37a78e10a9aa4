// SPDX-License-Identifier: Apache-2.0
// stillboot menu: the menu on this terminal.
#include <CLI/CLI.hpp>

#include "ui/cli/verbs.hpp"
#include "ui/menu/menu.hpp"

namespace stillboot::cli {

void add_menu(CLI::App& app, const Context& context, Action& action) {
    CLI::App* verb = app.add_subcommand("menu", "The boot menu, on this terminal");
    auto settings = std::make_shared<menu::MenuSettings>();
    verb->add_option("--shell", settings->shell, "What its shell key starts")->capture_default_str();
    verb->callback([&context, &action, settings] {
        action = [&context, settings] {
            settings->daemon = context.daemon;
            settings->daemon.may_ask = false;  // each of its connections would, in the middle of the screen
            return menu::run_menu(*settings) == 0 ? ExitCode::done : ExitCode::failed;
        };
    });
}

}  // namespace stillboot::cli
