// SPDX-License-Identifier: Apache-2.0
// Rules matched with the options that are there.
#include "daemon/policy/claims.hpp"

#include <fnmatch.h>

#include <algorithm>

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

constexpr std::string_view digits = "0123456789";

// "debian.conf" is "debian".
std::string_view without_suffix(std::string_view name) {
    constexpr std::string_view suffix = ".conf";
    return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : name;
}

// "debian+3-1" and "debian+3" are "debian".
std::string_view without_counters(std::string_view name) {
    const std::size_t plus = name.rfind('+');
    std::string_view counters = plus == name.npos ? "" : name.substr(plus + 1);
    const std::size_t left = std::min(counters.find_first_not_of(digits), counters.size());
    if (left == 0) {
        return name;
    }
    counters.remove_prefix(left);
    const bool fits = counters.empty() || (counters.size() > 1 && counters.front() == '-' &&
                                           counters.find_first_not_of(digits, 1) == counters.npos);
    return fits ? name.substr(0, plus) : name;
}

bool same_letters(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
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

void rank(const std::optional<Candidate>& chosen, Message by, bool for_once, std::vector<RankedRule>& ranked) {
    if (chosen) {
        BootRule rule;
        rule.id = literal(chosen->option);
        ranked.push_back({std::move(rule), std::move(by), {}, for_once});
    }
}

bool has_no_try_left(const protocol::Option& option) {
    return option.tries && option.tries->left == 0;
}

/// What the rules would name if it had a try left, each once, in their order.
class LastResorts {
public:
    void add(const protocol::Option& option) {
        const bool known = std::any_of(claims_.begin(), claims_.end(), [&](const Claim& claim) {
            return claim.names.front().option == option.id;
        });
        if (!known) {
            Claim claim{Message("daemon.by_no_tries", {{"done", option.tries->done}}), {}, {}, true, false};
            claim.names.emplace_back(option.id, option.title);
            claims_.push_back(std::move(claim));
        }
    }
    [[nodiscard]] const std::vector<Claim>& claims() const { return claims_; }

private:
    std::vector<Claim> claims_;
};

}  // namespace

bool is_entry(const protocol::Option& option, std::string_view name) {
    constexpr std::string_view mark = "/bls/";
    const auto at = option.id.rfind(mark);
    if (option.source.format != "bls" || at == option.id.npos) {
        return false;
    }
    const std::string id = option.id.substr(at + mark.size());
    return same_letters(without_counters(without_suffix(name)), id.substr(0, id.find('#')));
}

std::vector<RankedRule> ranked_rules(const Settings& settings, const KeptChoices& chosen) {
    std::vector<RankedRule> ranked;
    if (chosen.entry_once) {
        ranked.push_back({BootRule(), Message("daemon.by_firmware"), *chosen.entry_once, true});
    }
    rank(chosen.one_shot, Message("daemon.by_one_shot"), true, ranked);
    rank(settings.boot_first, "boot_first", ranked);
    rank(chosen.saved_default, Message("daemon.by_saved"), false, ranked);
    rank(settings.boot, "boot", ranked);
    return ranked;
}

std::vector<Claim> claims_of(const std::vector<RankedRule>& rules, const registry::Registry& registry) {
    const auto defaults = registry.defaults();
    const auto all = registry.options();
    std::vector<Claim> claims;
    LastResorts last;
    for (const RankedRule& ranked : rules) {
        const BootRule& rule = ranked.rule;
        Claim claim{ranked.by, rule.wait, {}, false, ranked.for_once};
        const auto add = [&](const protocol::Option& option) {
            const bool is_named =
                fits(rule, option, registry) && (ranked.entry.empty() || is_entry(option, ranked.entry));
            if (option.state != protocol::OptionState::ready || !is_named) {
                return;
            }
            if (has_no_try_left(option) && !ranked.for_once) {
                claim.wait = {};  // what the rule waits for is there
                return last.add(option);
            }
            claim.names.emplace_back(option.id, option.title);
        };
        if (ranked.entry.empty() && rule.wants_default()) {
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
    claims.insert(claims.end(), last.claims().begin(), last.claims().end());
    return claims;
}

std::optional<Strict> strict_of(const Settings& settings, Instant since) {
    if (!settings.strict.value) {
        return std::nullopt;
    }
    return Strict{since + settings.strict_limit.value, settings.strict_retries.value};
}

}  // namespace stillboot::policy
