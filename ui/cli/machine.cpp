// SPDX-License-Identifier: Apache-2.0
// Settings and rights of verbs that act by themselves.
#include "ui/cli/machine.hpp"

#include <unistd.h>

#include "config/parse/settings/settings.hpp"
#include "quiesce/load_policy.hpp"

namespace stillboot::cli {

Settings settings_of(const Context& context, const Root& root) {
    LoadedSettings loaded = load_settings(root);
    for (const Diagnostic& diagnostic : loaded.diagnostics) {
        context.complain(diagnostic.text());
    }
    return std::move(loaded.settings);
}

quiesce::Policy policy_of(const Context& context, const Root& root, const Settings& settings) {
    quiesce::LoadedPolicy loaded = quiesce::load_policy(root, settings);
    for (const Diagnostic& diagnostic : loaded.diagnostics) {
        context.complain(diagnostic.text());
    }
    return std::move(loaded.policy);
}

std::optional<ExitCode> refuse_without_root(const Context& context) {
    if (::geteuid() == 0) {
        return std::nullopt;
    }
    context.complain("stillboot: " + Message("cli.needs_root").sentence());
    return ExitCode::refused;
}

}  // namespace stillboot::cli
