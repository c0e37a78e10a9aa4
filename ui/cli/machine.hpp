// SPDX-License-Identifier: Apache-2.0
// What the verbs without a daemon share: the machine's settings, and whether one may touch it.
#pragma once

#include <optional>

#include "config/base/root.hpp"
#include "config/model/settings.hpp"
#include "quiesce/policy.hpp"
#include "ui/cli/context.hpp"

namespace stillboot::cli {

/// The settings of the machine below the root; what is wrong in them is said on the standard error.
[[nodiscard]] Settings settings_of(const Context& context, const Root& root);

/// The policy of the machine below the root; rule files that are refused are said on the standard error.
[[nodiscard]] quiesce::Policy policy_of(const Context& context, const Root& root, const Settings& settings);

/// The same with what the machine's state store has learnt; one that cannot be read is said too.
[[nodiscard]] quiesce::Policy policy_with_memory_of(const Context& context, const Root& root,
                                                    const Settings& settings);

/// Says that only root may do this, where that is so.
[[nodiscard]] std::optional<ExitCode> refuse_without_root(const Context& context);

}  // namespace stillboot::cli
