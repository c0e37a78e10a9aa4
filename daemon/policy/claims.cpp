// SPDX-License-Identifier: Apache-2.0
// Rules matched with the options that are there.
#include "daemon/policy/claims.hpp"

#include <fnmatch.h>

namespace stillboot::policy {
namespace {

bool fits(const std::string& glob, const std::string& text) {
    return glob.empty() || ::fnmatch(glob.c_str(), text.c_str(), 0) == 0;
}

bool fits(const BootRule& rule, const protocol::Option& option, const registry::Registry& registry) {
    const auto* const device = registry.device(option.device_id);
    const bool removable = device != nullptr && device->removable;
    return fits(rule.id, option.id) && fits(rule.device, option.device_id) &&
           fits(rule.format, option.source.format) &&
           (fits(rule.title, option.title) || fits(rule.title, registry::path_title(option))) &&
           (rule.type.empty() || rule.type == (removable ? "removable" : "internal"));
}

void rank(const Setting<std::vector<BootRule>>& setting, std::string_view key, std::vector<RankedRule>& ranked) {
    for (const BootRule& rule : setting.value) {
        ranked.push_back(
            {rule, setting.origin.is_default()
                       ? Message("daemon.by_configuration")
                       : Message("daemon.by_rule",
                                 {{"rule", rule.text}, {"key", key}, {"origin", setting.origin.text()}})});
    }
}

// An id may hold what means something in a glob.
std::string literal(std::string_view text) {
    std::string glob;
    for (const char c : text) {
        glob += std::string_view("*?[]\\").find(c) == std::string_view::npos ? "" : "\\";
        glob += c;
    }
    return glob;
}

void rank(const std::optional<Candidate>& chosen, Message by, std::vector<RankedRule>& ranked) {
    if (chosen) {
        BootRule rule;
        rule.id = literal(chosen->option);
        ranked.push_back({std::move(rule), std::move(by)});
    }
}

}  // namespace

std::vector<RankedRule> ranked_rules(const Settings& settings, const KeptChoices& chosen) {
    std::vector<RankedRule> ranked;
    rank(chosen.one_shot, Message("daemon.by_one_shot"), ranked);
    rank(settings.boot_first, "boot_first", ranked);
    rank(chosen.saved_default, Message("daemon.by_saved"), ranked);
    rank(settings.boot, "boot", ranked);
    return ranked;
}

std::vector<Claim> claims_of(const std::vector<RankedRule>& rules, const registry::Registry& registry) {
    const auto defaults = registry.defaults();
    const auto all = registry.options();
    std::vector<Claim> claims;
    for (const auto& [rule, by] : rules) {
        Claim claim{by, rule.wait, {}};
        const auto add = [&](const protocol::Option& option) {
            if (option.state == protocol::OptionState::ready && fits(rule, option, registry)) {
                claim.names.emplace_back(option.id, option.title);
            }
        };
        if (rule.wants_default()) {
            for (const auto* const option : defaults) {
                add(*option);
            }
        } else {
            for (const auto& option : all) {
                add(option);
            }
        }
        claims.push_back(std::move(claim));
    }
    return claims;
}

std::optional<Strict> strict_of(const Settings& settings, Instant started) {
    if (!settings.strict.value) {
        return std::nullopt;
    }
    return Strict{started + settings.strict_limit.value, settings.strict_retries.value};
}

}  // namespace stillboot::policy
