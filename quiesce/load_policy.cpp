// SPDX-License-Identifier: Apache-2.0
// Puts the policy of a machine together.
#include "quiesce/load_policy.hpp"

#include "config/parse/rules/rule_file.hpp"

namespace stillboot::quiesce {

LoadedPolicy load_policy(const Root& root, const Settings& settings) {
    ParsedRules added = load_rule_files(root);
    LoadedPolicy out;
    auto& rules = out.policy.rules;
    rules.insert(rules.begin(), added.rules.begin(), added.rules.end());
    out.diagnostics = std::move(added.diagnostics);
    out.policy.keep = settings.keep.value;
    out.policy.keep_origin = settings.keep.origin.text();
    out.policy.mode = settings.quiesce.value;
    out.policy.mode_origin = settings.quiesce.origin.text();
    return out;
}

}  // namespace stillboot::quiesce
