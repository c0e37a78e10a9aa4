// SPDX-License-Identifier: Apache-2.0
// Settings and rights of verbs that act by themselves.
#include "ui/cli/machine.hpp"

#include <unistd.h>

#include "config/parse/settings/settings.hpp"
#include "daemon/handover/machine_ports.hpp"
#include "quiesce/load_policy.hpp"

namespace stillboot::cli {
namespace {

// Only root can read the store, and below another root a node names a disk of this machine.
void add_memory(const Context& context, const Root& root, const Settings& settings, quiesce::Policy& policy) {
    if (::geteuid() != 0 || context.root != "/") {
        return;
    }
    if (const auto store = handover::open_store(root, settings)) {
        if (auto added = handover::add_memory(policy, *store); !added) {
            context.complain("stillboot: " + added.error().sentence());
        }
    }
}

}  // namespace

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

quiesce::Policy policy_with_memory_of(const Context& context, const Root& root, const Settings& settings) {
    quiesce::Policy policy = policy_of(context, root, settings);
    add_memory(context, root, settings, policy);
    return policy;
}

std::optional<ExitCode> refuse_without_root(const Context& context) {
    if (::geteuid() == 0) {
        return std::nullopt;
    }
    context.complain("stillboot: " + Message("cli.needs_root").sentence());
    return ExitCode::refused;
}

}  // namespace stillboot::cli
