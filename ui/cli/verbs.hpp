// SPDX-License-Identifier: Apache-2.0
// Every verb puts itself on the command line; the one that is given becomes the action.
#pragma once

#include "ui/cli/context.hpp"

namespace CLI {
class App;
}

namespace stillboot::cli {

/// Adds a verb with its options. When the command line names it, `action` becomes what it does.
/// Lifetime: app, context and action outlive the parsing and the action.
using AddVerb = void (*)(CLI::App& app, const Context& context, Action& action);

void add_status(CLI::App& app, const Context& context, Action& action);
void add_list(CLI::App& app, const Context& context, Action& action);
void add_boot(CLI::App& app, const Context& context, Action& action);
void add_cancel(CLI::App& app, const Context& context, Action& action);
void add_devices(CLI::App& app, const Context& context, Action& action);
void add_rescan(CLI::App& app, const Context& context, Action& action);
void add_add(CLI::App& app, const Context& context, Action& action);
void add_explain(CLI::App& app, const Context& context, Action& action);
void add_quiesce(CLI::App& app, const Context& context, Action& action);
void add_load(CLI::App& app, const Context& context, Action& action);
void add_menu(CLI::App& app, const Context& context, Action& action);
void add_log(CLI::App& app, const Context& context, Action& action);
void add_wait(CLI::App& app, const Context& context, Action& action);
void add_clients(CLI::App& app, const Context& context, Action& action);
void add_settings(CLI::App& app, const Context& context, Action& action);
void add_set_timeout(CLI::App& app, const Context& context, Action& action);
void add_times(CLI::App& app, const Context& context, Action& action);
void add_system(CLI::App& app, const Context& context, Action& action);
void add_bug_report(CLI::App& app, const Context& context, Action& action);
void add_set_default(CLI::App& app, const Context& context, Action& action);
void add_set_oneshot(CLI::App& app, const Context& context, Action& action);
void add_reboot(CLI::App& app, const Context& context, Action& action);
void add_poweroff(CLI::App& app, const Context& context, Action& action);
void add_keys(CLI::App& app, const Context& context, Action& action);
void add_password(CLI::App& app, const Context& context, Action& action);
void add_attempts(CLI::App& app, const Context& context, Action& action);
void add_bless(CLI::App& app, const Context& context, Action& action);
void add_bridge(CLI::App& app, const Context& context, Action& action);

/// A verb below `stillboot quiesce`.
void add_learned(CLI::App& quiesce, const Context& context, Action& action);
void add_rules(CLI::App& quiesce, const Context& context, Action& action);

/// Whether consoles are to be locked by the settings in files and on the kernel command line: what holds while no
/// daemon says more. @param root  the directory for /
[[nodiscard]] bool locked_by_files(const std::string& root);

/// What `stillboot` does without a verb.
[[nodiscard]] ExitCode show_status(const Context& context);

}  // namespace stillboot::cli
