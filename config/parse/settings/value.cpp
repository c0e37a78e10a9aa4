// SPDX-License-Identifier: Apache-2.0
// The table of settings: key, what is accepted, and the words where it is not.
#include "config/parse/settings/value.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <iterator>
#include <type_traits>

#include "config/base/endpoint.hpp"
#include "config/model/event_sink.hpp"
#include "config/parse/settings/boot_rule.hpp"

namespace stillboot {
namespace {

using std::chrono::seconds;
constexpr std::size_t npos = std::string_view::npos;

constexpr std::int64_t max_timeout_seconds = 86'400;
constexpr std::int64_t max_deadline_seconds = 3'600;
constexpr std::int64_t min_watchdog_seconds = 10;
constexpr std::int64_t max_watchdog_seconds = 3'600;
constexpr std::int64_t max_parallel_probes = 64;
constexpr std::int64_t min_strict_limit_seconds = 10;
constexpr std::int64_t max_strict_retries = 1'000;
constexpr std::size_t max_boot_rules = 64;
constexpr std::int64_t min_lock_seconds = 5;
constexpr std::size_t max_hash_bytes = 384;  // crypt(3): CRYPT_OUTPUT_SIZE
constexpr std::int64_t min_hook_budget_seconds = 5;
constexpr std::int64_t max_hook_budget_seconds = 600;

// A comma in double quotes belongs to what it stands in, as to the title of a rule.
std::vector<std::string> split_at_commas(std::string_view text) {
    std::vector<std::string> out(text.empty() ? 0 : 1);
    bool quoted = false;
    for (const char c : text) {
        quoted = quoted != (c == '"');
        if (c == ',' && !quoted) {
            out.emplace_back();
        } else {
            out.back() += c;
        }
    }
    return out;
}

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

template <auto member, std::int64_t low, std::int64_t high>
bool set_number(Settings& settings, const SettingValue& value) {
    auto& setting = settings.*member;
    const auto number = number_within(value, low, high);
    if (number) {
        setting.value = static_cast<decltype(setting.value)>(*number);
    }
    return number.has_value();
}

bool set_watchdog(Settings& settings, const SettingValue& value) {
    return set_number<&Settings::watchdog, 0, 0>(settings, value) ||
           set_number<&Settings::watchdog, min_watchdog_seconds, max_watchdog_seconds>(settings, value);
}

bool set_lock_after(Settings& settings, const SettingValue& value) {
    return set_number<&Settings::lock_after, 0, 0>(settings, value) ||
           set_number<&Settings::lock_after, min_lock_seconds, max_timeout_seconds>(settings, value);
}

// crypt(5): all of today's begin with $. What does not may be the password itself, in a place that others can
// read.
bool is_hash(std::string_view text) {
    const auto may_stand = [](char c) {
        return c > ' ' && c < 0x7f && std::string_view("!*:;\\,\"'").find(c) == npos;
    };
    return text.size() > 2 && text.size() < max_hash_bytes && text.front() == '$' &&
           text.find('$', 2) != text.npos && std::all_of(text.begin(), text.end(), may_stand);
}

bool set_password(Settings& settings, const SettingValue& value) {
    const bool none = value.word == "none";
    if (!none && !(value.word && is_hash(*value.word))) {
        return false;
    }
    settings.password.value.text = none ? "" : *value.word;
    return true;
}

template <auto member>
bool set_list(Settings& settings, const SettingValue& value) {
    if (!value.list) {
        return false;
    }
    const bool named =
        std::none_of(value.list->begin(), value.list->end(), [](const auto& s) { return s.empty(); });
    if (named) {
        (settings.*member).value = *value.list;
    }
    return named;
}

template <auto member>
bool set_rules(Settings& settings, const SettingValue& value) {
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
    (settings.*member).value = std::move(rules);
    return true;
}

bool is_endpoint(std::string_view text) {
    const auto endpoint = split_endpoint(text);
    return endpoint && is_numeric(*endpoint);
}

bool is_event_sink(std::string_view text) {
    return parse_event_sink(text).has_value();
}

template <auto member, bool (*is_one)(std::string_view)>
bool set_list_of(Settings& settings, const SettingValue& value) {
    const bool fits = value.list && std::all_of(value.list->begin(), value.list->end(), is_one);
    if (fits) {
        (settings.*member).value = *value.list;
    }
    return fits;
}

template <auto member>
bool set_flag(Settings& settings, const SettingValue& value) {
    Setting<bool>& setting = settings.*member;
    setting.value = value.written == "true" || (setting.value && value.written != "false");
    return value.written == "true" || value.written == "false";
}

// A path, or a device with one.
bool set_script(Settings& settings, const SettingValue& value) {
    const bool none = value.word == "none";
    if (!none && !(value.word && value.word->size() <= max_said_bytes &&
                   (value.word->starts_with('/') || value.word->find(":/") != std::string::npos))) {
        return false;
    }
    settings.script.value = none ? std::nullopt : value.word;
    return true;
}

// A path, or a word for none and for the usual one.
bool set_state_store(Settings& settings, const SettingValue& value) {
    const bool usual = value.word == "auto";
    if (!usual && value.word != "none" && value.word != "efi" &&
        !(value.word && value.word->starts_with("/dev/"))) {
        return false;
    }
    settings.state_store.value = usual ? "" : *value.word;
    return true;
}

template <auto member, const auto& all>
bool set_word(Settings& settings, const SettingValue& value) {
    const auto* found =
        std::find_if(std::begin(all), std::end(all), [&](auto each) { return value.word == to_word(each); });
    if (found == std::end(all)) {
        return false;
    }
    (settings.*member).value = *found;
    return true;
}

std::string text_of(bool value) {
    return value ? "true" : "false";
}
std::string text_of(unsigned value) {
    return std::to_string(value);
}
std::string text_of(seconds value) {
    return std::to_string(value.count());
}
std::string text_of(std::optional<seconds> value) {
    return value ? text_of(*value) : "never";
}
std::string text_of(const Secret& value) {
    return value.text.empty() ? "none" : "set";
}
std::string text_of(const std::string& value) {
    return value.empty() ? "auto" : value;  // the one setting of its kind: state_store
}
std::string text_of(const std::optional<std::string>& value) {
    return value.value_or("none");
}
template <class Enum>
    requires std::is_enum_v<Enum>
std::string text_of(Enum value) {
    return std::string(to_word(value));
}
const std::string& text_in_list(const std::string& value) {
    return value;
}
const std::string& text_in_list(const BootRule& value) {
    return value.text;
}
template <class T>
std::string text_of(const std::vector<T>& values) {
    std::string text;
    for (const T& value : values) {
        text += (text.empty() ? "" : ",") + text_in_list(value);
    }
    return text;
}

/// Until when a setting may be said: what is read before the state store can only stand in a file or on the kernel
/// command line.
enum class Said { any_time, at_start };

struct Row {
    std::string_view key;
    std::string_view refusal;  ///< the code that says what is accepted
    bool (*set)(Settings&, const SettingValue&);
    Origin& (*origin)(Settings&);
    std::string (*text)(const Settings&);
    Said said;
    bool secret;
};

template <auto member>
constexpr Row row(std::string_view key, std::string_view refusal, bool (*set)(Settings&, const SettingValue&),
                  Said said = Said::any_time) {
    return {key,
            refusal,
            set,
            [](Settings& settings) -> Origin& { return (settings.*member).origin; },
            [](const Settings& settings) { return text_of((settings.*member).value); },
            said,
            std::is_same_v<std::remove_cvref_t<decltype((Settings().*member).value)>, Secret>};
}

constexpr Trial trials[] = {Trial::automatic, Trial::always, Trial::never};
constexpr Moving movings[] = {Moving::refuse, Moving::allow};
constexpr OnHang hangs[] = {OnHang::restart, OnHang::power_cycle, OnHang::watchdog, OnHang::menu};
constexpr QuiesceMode modes[] = {QuiesceMode::remove, QuiesceMode::minimal, QuiesceMode::off};
constexpr AfterTrouble after_troubles[] = {AfterTrouble::jump, AfterTrouble::restart};
constexpr FinalAction final_actions[] = {FinalAction::menu, FinalAction::shell, FinalAction::reboot,
                                         FinalAction::power_off};
constexpr LogLevel levels[] = {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error};

constexpr Row rows[] = {
    row<&Settings::timeout>("timeout", "config.setting_timeout", set_timeout),
    row<&Settings::order>("order", "config.setting_order", set_list<&Settings::order>),
    row<&Settings::boot>("boot", "config.setting_boot", set_rules<&Settings::boot>),
    row<&Settings::boot_first>("boot_first", "config.setting_boot", set_rules<&Settings::boot_first>),
    row<&Settings::strict>("strict", "config.setting_flag", set_flag<&Settings::strict>),
    row<&Settings::strict_limit>(
        "strict_limit", "config.setting_strict_limit",
        set_number<&Settings::strict_limit, min_strict_limit_seconds, max_timeout_seconds>),
    row<&Settings::strict_retries>("strict_retries", "config.setting_strict_retries",
                                   set_number<&Settings::strict_retries, 0, max_strict_retries>),
    row<&Settings::final_action>("final_action", "config.setting_final_action",
                                 set_word<&Settings::final_action, final_actions>),
    row<&Settings::trial>("trial", "config.setting_trial", set_word<&Settings::trial, trials>),
    row<&Settings::moving>("moving", "config.setting_moving", set_word<&Settings::moving, movings>),
    row<&Settings::on_hang>("on_hang", "config.setting_on_hang", set_word<&Settings::on_hang, hangs>),
    row<&Settings::watchdog>("watchdog", "config.setting_watchdog", set_watchdog),
    row<&Settings::release_holders>("release_holders", "config.setting_flag",
                                    set_flag<&Settings::release_holders>),
    row<&Settings::report_on_command_line>("report_on_command_line", "config.setting_flag",
                                           set_flag<&Settings::report_on_command_line>),
    row<&Settings::state_store>("state_store", "config.setting_state_store", set_state_store, Said::at_start),
    row<&Settings::quiesce>("quiesce", "config.setting_quiesce", set_word<&Settings::quiesce, modes>),
    row<&Settings::keep>("keep", "config.setting_keep", set_list<&Settings::keep>),
    row<&Settings::probe_parallel>("probe.parallel", "config.setting_probe_parallel",
                                   set_number<&Settings::probe_parallel, 1, max_parallel_probes>),
    row<&Settings::probe_deadline>("probe.deadline", "config.setting_deadline",
                                   set_number<&Settings::probe_deadline, 1, max_deadline_seconds>),
    row<&Settings::settle_deadline>("settle_deadline", "config.setting_deadline",
                                    set_number<&Settings::settle_deadline, 1, max_deadline_seconds>,
                                    Said::at_start),
    row<&Settings::hook_on_moving>("hook.on_moving", "config.setting_hook",
                                   set_word<&Settings::hook_on_moving, after_troubles>, Said::at_start),
    row<&Settings::hook_on_hang>("hook.on_hang", "config.setting_hook",
                                 set_word<&Settings::hook_on_hang, after_troubles>, Said::at_start),
    row<&Settings::hook_budget>(
        "hook.budget", "config.setting_hook_budget",
        set_number<&Settings::hook_budget, min_hook_budget_seconds, max_hook_budget_seconds>, Said::at_start),
    row<&Settings::hooks_deadline>("hooks.deadline", "config.setting_deadline",
                                   set_number<&Settings::hooks_deadline, 1, max_deadline_seconds>),
    row<&Settings::listen>("listen", "config.setting_listen", set_list_of<&Settings::listen, is_endpoint>,
                           Said::at_start),
    row<&Settings::events>("events", "config.setting_events", set_list_of<&Settings::events, is_event_sink>,
                           Said::at_start),
    row<&Settings::script>("script", "config.setting_script", set_script, Said::at_start),
    row<&Settings::script_deadline>("script_deadline", "config.setting_deadline",
                                    set_number<&Settings::script_deadline, 1, max_deadline_seconds>,
                                    Said::at_start),
    row<&Settings::password>("password", "config.setting_password", set_password),
    row<&Settings::lock>("lock", "config.setting_flag", set_flag<&Settings::lock>),
    row<&Settings::lock_after>("lock_after", "config.setting_lock_after", set_lock_after),
    row<&Settings::log_level>("log_level", "config.setting_log_level", set_word<&Settings::log_level, levels>),
};

const Row* row_of(std::string_view key) {
    const auto* row = std::find_if(std::begin(rows), std::end(rows), [&](const Row& r) { return r.key == key; });
    return row == std::end(rows) ? nullptr : row;
}

}  // namespace

std::optional<Message> apply_setting(Settings& settings, std::string_view key, const SettingValue& value,
                                     const Origin& origin) {
    const Row* row = row_of(key);
    if (row == nullptr) {
        return Message("config.setting_unknown", {{"key", key}});
    }
    Origin& current = row->origin(settings);
    if (!row->set(settings, value)) {
        return Message(row->refusal, {{"key", key}, {"value", row->secret ? "this" : value.written}});
    }
    current = origin;
    return std::nullopt;
}

bool is_secret(std::string_view key) {
    const Row* row = row_of(key);
    return row != nullptr && row->secret;
}

std::string shown_value(std::string_view key, const std::string& value) {
    Settings settings;
    if (apply_setting(settings, key, value_of_text(value), Origin())) {
        return is_secret(key) ? "set" : value;
    }
    return row_of(key)->text(settings);
}

bool guards_consoles(std::string_view key) {
    return key == "password" || key == "lock" || key == "lock_after";
}

SettingValue value_of_text(const std::string& text) {
    SettingValue value;
    value.written = text;
    value.word = text;
    value.list = split_at_commas(text);
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end) {
        value.number = number;
    }
    return value;
}

std::optional<Message> check_key(std::string_view key) {
    const Row* row = row_of(key);
    if (row == nullptr) {
        return Message("config.setting_unknown", {{"key", key}});
    }
    return row->said == Said::at_start ? std::optional(Message("config.setting_at_start", {{"key", key}}))
                                       : std::nullopt;
}

std::optional<Message> check_setting(const Settings& settings, const SettingText& said) {
    if (auto why = check_key(said.key)) {
        return why;
    }
    if (said.value.size() > max_said_bytes) {
        return Message("config.setting_too_long", {{"key", said.key}, {"bytes", std::uint64_t{max_said_bytes}}});
    }
    Settings tried = settings;
    return apply_setting(tried, said.key, value_of_text(said.value), Origin());
}

std::optional<Origin> origin_of_setting(Settings settings, std::string_view key) {
    const Row* row = row_of(key);
    return row == nullptr ? std::nullopt : std::optional(row->origin(settings));
}

std::vector<SettingView> list_settings(Settings settings) {
    std::vector<SettingView> views;
    for (const Row& row : rows) {
        views.push_back({row.key, row.text(settings), row.origin(settings), row.said == Said::any_time});
    }
    return views;
}

}  // namespace stillboot
