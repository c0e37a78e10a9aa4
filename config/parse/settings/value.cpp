// SPDX-License-Identifier: Apache-2.0
// The table of settings: key, what is accepted, and the words where it is not.
#include "config/parse/settings/value.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <iterator>

#include "config/parse/settings/boot_rule.hpp"

namespace stillboot {
namespace {

using std::chrono::seconds;

constexpr std::int64_t max_timeout_seconds = 86'400;
constexpr std::int64_t max_deadline_seconds = 3'600;
constexpr std::int64_t min_watchdog_seconds = 10;
constexpr std::int64_t max_watchdog_seconds = 3'600;
constexpr std::int64_t max_parallel_probes = 64;
constexpr std::int64_t min_strict_limit_seconds = 10;
constexpr std::int64_t max_strict_retries = 1'000;
constexpr std::size_t max_boot_rules = 64;
constexpr std::int64_t min_hook_budget_seconds = 5;
constexpr std::int64_t max_hook_budget_seconds = 600;

std::optional<std::int64_t> number_within(const SettingValue& value, std::int64_t low, std::int64_t high) {
    return value.number && *value.number >= low && *value.number <= high ? value.number : std::nullopt;
}

bool set_timeout(Settings& settings, const SettingValue& value) {
    if (value.word == "never") {
        settings.timeout.value = std::nullopt;
        return true;
    }
    const auto number = number_within(value, 0, max_timeout_seconds);
    if (number) {
        settings.timeout.value = seconds(*number);
    }
    return number.has_value();
}

bool set_deadline(Setting<seconds>& setting, const SettingValue& value) {
    const auto number = number_within(value, 1, max_deadline_seconds);
    if (number) {
        setting.value = seconds(*number);
    }
    return number.has_value();
}

bool set_watchdog(Settings& settings, const SettingValue& value) {
    const auto number =
        value.number == 0 ? value.number : number_within(value, min_watchdog_seconds, max_watchdog_seconds);
    if (number) {
        settings.watchdog.value = seconds(*number);
    }
    return number.has_value();
}

bool set_hook_budget(Settings& settings, const SettingValue& value) {
    const auto number = number_within(value, min_hook_budget_seconds, max_hook_budget_seconds);
    if (number) {
        settings.hook_budget.value = seconds(*number);
    }
    return number.has_value();
}

bool set_parallel(Settings& settings, const SettingValue& value) {
    const auto number = number_within(value, 1, max_parallel_probes);
    if (number) {
        settings.probe_parallel.value = static_cast<unsigned>(*number);
    }
    return number.has_value();
}

bool set_list(Setting<std::vector<std::string>>& setting, const SettingValue& value) {
    if (!value.list) {
        return false;
    }
    const bool named =
        std::none_of(value.list->begin(), value.list->end(), [](const auto& s) { return s.empty(); });
    if (named) {
        setting.value = *value.list;
    }
    return named;
}

bool set_boot(Setting<std::vector<BootRule>>& setting, const SettingValue& value) {
    if (!value.list || value.list->size() > max_boot_rules) {
        return false;
    }
    std::vector<BootRule> rules;
    for (const std::string& text : *value.list) {
        auto rule = parse_boot_rule(text);
        if (!rule) {
            return false;
        }
        rules.push_back(std::move(*rule));
    }
    setting.value = std::move(rules);
    return true;
}

bool set_strict_limit(Settings& settings, const SettingValue& value) {
    const auto number = number_within(value, min_strict_limit_seconds, max_timeout_seconds);
    if (number) {
        settings.strict_limit.value = seconds(*number);
    }
    return number.has_value();
}

bool set_strict_retries(Settings& settings, const SettingValue& value) {
    const auto number = number_within(value, 0, max_strict_retries);
    if (number) {
        settings.strict_retries.value = static_cast<unsigned>(*number);
    }
    return number.has_value();
}

// ADDRESS:PORT, an IPv6 address in brackets. No name: what a name means is somebody else's say.
bool is_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == text.npos) {
        return false;
    }
    std::string host(text.substr(0, colon));
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    host = bracketed ? host.substr(1, host.size() - 2) : host;
    std::array<unsigned char, sizeof(in6_addr)> address;
    std::uint16_t port = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + colon + 1, end, port);
    return ::inet_pton(bracketed ? AF_INET6 : AF_INET, host.c_str(), address.data()) == 1 && read.ptr == end &&
           read.ec == std::errc() && port != 0;
}

bool set_listen(Settings& settings, const SettingValue& value) {
    const bool fits = value.list && std::all_of(value.list->begin(), value.list->end(), is_endpoint);
    if (fits) {
        settings.listen.value = *value.list;
    }
    return fits;
}

bool set_flag(Setting<bool>& setting, const SettingValue& value) {
    setting.value = value.written == "true" || (setting.value && value.written != "false");
    return value.written == "true" || value.written == "false";
}

// A path, or a word for none and for the usual one.
bool set_state_store(Settings& settings, const SettingValue& value) {
    const bool usual = value.word == "auto";
    if (!usual && value.word != "none" && !(value.word && value.word->starts_with("/dev/"))) {
        return false;
    }
    settings.state_store.value = usual ? "" : *value.word;
    return true;
}

template <class Enum, std::size_t N>
bool set_word(Setting<Enum>& setting, const SettingValue& value, const Enum (&all)[N]) {
    const auto* found =
        std::find_if(std::begin(all), std::end(all), [&](Enum each) { return value.word == to_word(each); });
    if (found == std::end(all)) {
        return false;
    }
    setting.value = *found;
    return true;
}

struct Row {
    std::string_view key;
    std::string_view refusal;  ///< the code that says what is accepted
    bool (*set)(Settings&, const SettingValue&);
    Origin& (*origin)(Settings&);
};

constexpr Trial trials[] = {Trial::automatic, Trial::always, Trial::never};
constexpr Moving movings[] = {Moving::refuse, Moving::allow};
constexpr OnHang hangs[] = {OnHang::restart, OnHang::power_cycle, OnHang::watchdog, OnHang::menu};
constexpr QuiesceMode modes[] = {QuiesceMode::remove, QuiesceMode::minimal, QuiesceMode::off};
constexpr AfterTrouble after_troubles[] = {AfterTrouble::jump, AfterTrouble::restart};
constexpr FinalAction final_actions[] = {FinalAction::menu, FinalAction::reboot, FinalAction::power_off};
constexpr LogLevel levels[] = {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error};

constexpr Row rows[] = {
    {"timeout", "config.setting_timeout", set_timeout, [](Settings& s) -> Origin& { return s.timeout.origin; }},
    {"order", "config.setting_order", [](Settings& s, const SettingValue& v) { return set_list(s.order, v); },
     [](Settings& s) -> Origin& { return s.order.origin; }},
    {"boot", "config.setting_boot", [](Settings& s, const SettingValue& v) { return set_boot(s.boot, v); },
     [](Settings& s) -> Origin& { return s.boot.origin; }},
    {"boot_first", "config.setting_boot",
     [](Settings& s, const SettingValue& v) { return set_boot(s.boot_first, v); },
     [](Settings& s) -> Origin& { return s.boot_first.origin; }},
    {"strict", "config.setting_flag", [](Settings& s, const SettingValue& v) { return set_flag(s.strict, v); },
     [](Settings& s) -> Origin& { return s.strict.origin; }},
    {"strict_limit", "config.setting_strict_limit", set_strict_limit,
     [](Settings& s) -> Origin& { return s.strict_limit.origin; }},
    {"strict_retries", "config.setting_strict_retries", set_strict_retries,
     [](Settings& s) -> Origin& { return s.strict_retries.origin; }},
    {"final_action", "config.setting_final_action",
     [](Settings& s, const SettingValue& v) { return set_word(s.final_action, v, final_actions); },
     [](Settings& s) -> Origin& { return s.final_action.origin; }},
    {"trial", "config.setting_trial",
     [](Settings& s, const SettingValue& v) { return set_word(s.trial, v, trials); },
     [](Settings& s) -> Origin& { return s.trial.origin; }},
    {"moving", "config.setting_moving",
     [](Settings& s, const SettingValue& v) { return set_word(s.moving, v, movings); },
     [](Settings& s) -> Origin& { return s.moving.origin; }},
    {"on_hang", "config.setting_on_hang",
     [](Settings& s, const SettingValue& v) { return set_word(s.on_hang, v, hangs); },
     [](Settings& s) -> Origin& { return s.on_hang.origin; }},
    {"watchdog", "config.setting_watchdog", set_watchdog,
     [](Settings& s) -> Origin& { return s.watchdog.origin; }},
    {"release_holders", "config.setting_flag",
     [](Settings& s, const SettingValue& v) { return set_flag(s.release_holders, v); },
     [](Settings& s) -> Origin& { return s.release_holders.origin; }},
    {"report_on_command_line", "config.setting_flag",
     [](Settings& s, const SettingValue& v) { return set_flag(s.report_on_command_line, v); },
     [](Settings& s) -> Origin& { return s.report_on_command_line.origin; }},
    {"state_store", "config.setting_state_store", set_state_store,
     [](Settings& s) -> Origin& { return s.state_store.origin; }},
    {"quiesce", "config.setting_quiesce",
     [](Settings& s, const SettingValue& v) { return set_word(s.quiesce, v, modes); },
     [](Settings& s) -> Origin& { return s.quiesce.origin; }},
    {"keep", "config.setting_keep", [](Settings& s, const SettingValue& v) { return set_list(s.keep, v); },
     [](Settings& s) -> Origin& { return s.keep.origin; }},
    {"probe.parallel", "config.setting_probe_parallel", set_parallel,
     [](Settings& s) -> Origin& { return s.probe_parallel.origin; }},
    {"probe.deadline", "config.setting_deadline",
     [](Settings& s, const SettingValue& v) { return set_deadline(s.probe_deadline, v); },
     [](Settings& s) -> Origin& { return s.probe_deadline.origin; }},
    {"settle_deadline", "config.setting_deadline",
     [](Settings& s, const SettingValue& v) { return set_deadline(s.settle_deadline, v); },
     [](Settings& s) -> Origin& { return s.settle_deadline.origin; }},
    {"hook.on_moving", "config.setting_hook",
     [](Settings& s, const SettingValue& v) { return set_word(s.hook_on_moving, v, after_troubles); },
     [](Settings& s) -> Origin& { return s.hook_on_moving.origin; }},
    {"hook.on_hang", "config.setting_hook",
     [](Settings& s, const SettingValue& v) { return set_word(s.hook_on_hang, v, after_troubles); },
     [](Settings& s) -> Origin& { return s.hook_on_hang.origin; }},
    {"hook.budget", "config.setting_hook_budget", set_hook_budget,
     [](Settings& s) -> Origin& { return s.hook_budget.origin; }},
    {"listen", "config.setting_listen", set_listen, [](Settings& s) -> Origin& { return s.listen.origin; }},
    {"log_level", "config.setting_log_level",
     [](Settings& s, const SettingValue& v) { return set_word(s.log_level, v, levels); },
     [](Settings& s) -> Origin& { return s.log_level.origin; }},
};

}  // namespace

std::optional<Message> apply_setting(Settings& settings, std::string_view key, const SettingValue& value,
                                     const Origin& origin) {
    const auto* row = std::find_if(std::begin(rows), std::end(rows), [&](const Row& r) { return r.key == key; });
    if (row == std::end(rows)) {
        return Message("config.setting_unknown", {{"key", key}});
    }
    Origin& current = row->origin(settings);
    if (!row->set(settings, value)) {
        return Message(row->refusal, {{"key", key}, {"value", value.written}, {"origin", current.text()}});
    }
    current = origin;
    return std::nullopt;
}

}  // namespace stillboot
