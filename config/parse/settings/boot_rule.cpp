// SPDX-License-Identifier: Apache-2.0
// Boot rules are written like the words of a kernel command line, and split by the same code.
#include "config/parse/settings/boot_rule.hpp"

#include <charconv>

#include "config/parse/settings/kernel_command_line.hpp"

namespace stillboot {
namespace {

constexpr int max_wait_seconds = 3'600;

bool set_wait(BootRule& rule, const std::string& text) {
    int seconds = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    rule.wait = std::chrono::seconds(seconds);
    return failure == std::errc() && end == text.data() + text.size() && seconds >= 1 &&
           seconds <= max_wait_seconds;
}

std::string* condition(BootRule& rule, const std::string& key) {
    return key == "id"       ? &rule.id
           : key == "title"  ? &rule.title
           : key == "device" ? &rule.device
           : key == "type"   ? &rule.type
           : key == "format" ? &rule.format
                             : nullptr;
}

bool add_word(BootRule& rule, const KernelParameter& word) {
    if (word.name == "wait") {
        return rule.wait.count() == 0 && set_wait(rule, word.value);
    }
    std::string* const text = condition(rule, word.name);
    if (text == nullptr || !text->empty() || word.value.empty()) {
        return false;
    }
    *text = word.value;
    return true;
}

}  // namespace

std::optional<BootRule> parse_boot_rule(std::string_view text) {
    BootRule rule;
    rule.text = text;
    bool asks_default = false;
    const auto words = split_kernel_command_line(text);
    for (const KernelParameter& word : words) {
        if (word.name == "@default" && !word.has_value) {
            asks_default = true;
        } else if (!add_word(rule, word)) {
            return std::nullopt;
        }
    }
    const bool type_known = rule.type.empty() || rule.type == "internal" || rule.type == "removable";
    // An option that is named is not asked for as its configuration's default.
    const bool clear = !asks_default || rule.wants_default();
    return words.empty() || !type_known || !clear ? std::nullopt : std::optional(std::move(rule));
}

}  // namespace stillboot
