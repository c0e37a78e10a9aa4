// SPDX-License-Identifier: Apache-2.0
// The policy of a machine: the shipped rules, the administrator's and the settings.
#pragma once

#include <vector>

#include "config/base/root.hpp"
#include "config/model/diagnostic.hpp"
#include "config/model/settings.hpp"
#include "quiesce/policy.hpp"

namespace stillboot::quiesce {

struct LoadedPolicy {
    Policy policy;
    std::vector<Diagnostic> diagnostics;  ///< of rule files that are refused
};

/// What whoever plans for this machine plans with: the rules of its rule files before the shipped ones, and what
/// its settings ask for. Source: stillboot-quiesce(5).
[[nodiscard]] LoadedPolicy load_policy(const Root& root, const Settings& settings);

}  // namespace stillboot::quiesce
