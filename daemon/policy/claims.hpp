// SPDX-License-Identifier: Apache-2.0
// Who says what boots by itself, in the one order of precedence.
#pragma once

#include <vector>

#include "config/model/settings.hpp"
#include "daemon/policy/policy.hpp"
#include "daemon/registry/registry.hpp"

namespace stillboot::policy {

/// A rule at its place in the order, and the words for who says so.
struct RankedRule {
    BootRule rule;
    Message by;
    std::string entry = {};  ///< an entry of the Boot Loader Specification by its name, where it names that alone
    bool for_once = false;   ///< a person's choice for the next start: also of what has no try left
};

/// What was chosen for the starts to come, and kept.
struct KeptChoices {
    std::optional<std::string> entry_once;  ///< what the firmware is asked for at this start
    std::optional<Candidate> one_shot;
    std::optional<Candidate> saved_default;
};

/// Whether an option is the entry that the Boot Loader Interface names so: the file's name, with or without what
/// it ends in and the counters of boot counting, in any case of its letters.
[[nodiscard]] bool is_entry(const protocol::Option& option, std::string_view name);

/// The rules in the order of precedence: what the firmware is asked for once, the one-shot, `boot_first`, the
/// saved default, `boot`.
[[nodiscard]] std::vector<RankedRule> ranked_rules(const Settings& settings, const KeptChoices& chosen);

/// What each rule names now: options that are ready, in the fixed order. A rule that names neither id nor title
/// means what the configurations call their defaults. What has no try left is named by no rule but the one-shot:
/// each such option is a last claim of its own, behind all others.
[[nodiscard]] std::vector<Claim> claims_of(const std::vector<RankedRule>& rules,
                                           const registry::Registry& registry);

/// Strict mode where the settings ask for it. @param since  from when its limit counts: the daemon's start, or
/// when it was asked for later
[[nodiscard]] std::optional<Strict> strict_of(const Settings& settings, Instant since);

}  // namespace stillboot::policy
