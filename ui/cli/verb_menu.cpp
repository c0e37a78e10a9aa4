// SPDX-License-Identifier: Apache-2.0
// stillboot menu: the menu on this terminal.
#include <CLI/CLI.hpp>

#include "config/base/root.hpp"
#include "config/parse/settings/settings.hpp"
#include "ui/cli/verbs.hpp"
#include "ui/menu/menu.hpp"

namespace stillboot::cli {

bool locked_by_files(const std::string& path) {
    const auto root = Root::open(path);
    return root && load_settings(*root).settings.lock.value;
}

void add_menu(CLI::App& app, const Context& context, Action& action) {
    CLI::App* verb = app.add_subcommand("menu", "The boot menu, on this terminal");
    auto settings = std::make_shared<menu::MenuSettings>();
    verb->add_option("--shell", settings->shell, "What its shell key starts")->capture_default_str();
    verb->add_flag("--console", settings->console,
                   "Take this terminal for a console of the machine: strict mode and the lock count here");
    verb->callback([&context, &action, settings] {
        action = [&context, settings] {
            settings->daemon = context.daemon;
            settings->begins_locked = locked_by_files(context.root);
            settings->daemon.may_ask = false;  // each of its connections would, in the middle of the screen
            return menu::run_menu(*settings) == 0 ? ExitCode::done : ExitCode::failed;
        };
    });
}

}  // namespace stillboot::cli
