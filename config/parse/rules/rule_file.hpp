// SPDX-License-Identifier: Apache-2.0
// Files of rules that say which devices are unbound: stillboot-quiesce(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/base/root.hpp"
#include "config/model/diagnostic.hpp"
#include "config/model/rule.hpp"

namespace stillboot {

struct ParsedRules {
    std::vector<Rule> rules;  ///< in the order in which they are asked; empty where the file has a mistake
    std::vector<Diagnostic> diagnostics;
};

/// Reads a rule file: TOML with an array of tables `rule`. One mistake refuses the whole file, for half a policy
/// could unbind what the other half would keep; every mistake is said.
/// Limits: 256 rules.
[[nodiscard]] ParsedRules parse_rule_file(std::string_view file, std::string text);

/// The rules that an administrator has added to a machine: *.toml in /etc/stillboot/quiesce.d and
/// /run/stillboot/quiesce.d by their names, one in /run in place of its namesake in /etc. A refused file costs
/// only its own rules. Limits: a file of more than 64 KiB is left out, and so are those past the 64th; both are
/// said.
[[nodiscard]] ParsedRules load_rule_files(const Root& root);

}  // namespace stillboot
