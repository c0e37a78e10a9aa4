// SPDX-License-Identifier: Apache-2.0
// Words and patterns of rules.
#include "config/model/rule.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

namespace stillboot {
namespace {

constexpr std::array<std::pair<RuleAction, std::string_view>, 6> action_words = {{
    {RuleAction::unbind, "unbind"},
    {RuleAction::keep, "keep"},
    {RuleAction::leave, "leave"},
    {RuleAction::verify, "verify"},
    {RuleAction::reset, "reset"},
    {RuleAction::last, "last"},
}};

constexpr std::size_t class_digits = 6;

std::optional<std::uint32_t> hexadecimal(std::string_view text, std::size_t digits) {
    std::uint32_t number = 0;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number, 16);
    const bool whole = parsed.ec == std::errc() && parsed.ptr == end && text.size() == digits;
    return whole ? std::optional(number) : std::nullopt;
}

template <class Items, class Text>
void add_match(std::string& out, std::string_view key, const Items& items, Text text) {
    std::string_view between = " = ";
    if (!items.empty()) {
        out += (out.empty() ? "" : ", ") + std::string(key);
    }
    for (const auto& item : items) {
        out += std::string(between) + text(item);
        between = " | ";
    }
}

}  // namespace

std::string_view to_word(RuleAction action) {
    const auto* found = std::find_if(action_words.begin(), action_words.end(),
                                     [&](const auto& each) { return each.first == action; });
    return found == action_words.end() ? std::string_view() : found->second;
}

std::optional<RuleAction> rule_action_of(std::string_view word) {
    const auto* found = std::find_if(action_words.begin(), action_words.end(),
                                     [&](const auto& each) { return each.second == word; });
    return found == action_words.end() ? std::nullopt : std::optional(found->first);
}

std::optional<PciIdPattern> pci_id_pattern(std::string_view text) {
    const auto vendor = hexadecimal(text.substr(0, 4), 4);
    if (!vendor || text.size() < 6 || text[4] != ':') {
        return std::nullopt;
    }
    PciIdPattern pattern;
    pattern.vendor = static_cast<std::uint16_t>(*vendor);
    if (text.substr(5) == "*") {
        return pattern;
    }
    const auto device = hexadecimal(text.substr(5), 4);
    if (!device) {
        return std::nullopt;
    }
    pattern.device = static_cast<std::uint16_t>(*device);
    return pattern;
}

std::optional<PciClassPattern> pci_class_pattern(std::string_view text) {
    PciClassPattern pattern;
    if (const std::size_t slash = text.find('/'); slash != text.npos) {
        const auto value = hexadecimal(text.substr(0, slash), class_digits);
        const auto mask = hexadecimal(text.substr(slash + 1), class_digits);
        if (!value || !mask || (*value & ~*mask) != 0) {
            return std::nullopt;
        }
        pattern.value = *value;
        pattern.mask = *mask;
        return pattern;
    }
    const bool known_length = text.size() == 2 || text.size() == 4 || text.size() == class_digits;
    const auto value = known_length ? hexadecimal(text, text.size()) : std::nullopt;
    if (!value) {
        return std::nullopt;
    }
    const auto missing_bits = static_cast<unsigned>(4 * (class_digits - text.size()));
    pattern.value = *value << missing_bits;
    pattern.mask = (0xffffffU << missing_bits) & 0xffffffU;
    return pattern;
}

std::string to_text(const PciIdPattern& pattern) {
    std::array<char, 16> text = {};
    if (pattern.device) {
        std::snprintf(text.data(), text.size(), "%04x:%04x", unsigned{pattern.vendor}, unsigned{*pattern.device});
    } else {
        std::snprintf(text.data(), text.size(), "%04x:*", unsigned{pattern.vendor});
    }
    return text.data();
}

std::string to_text(const PciClassPattern& pattern) {
    std::array<char, 32> text = {};
    std::snprintf(text.data(), text.size(), "%06x/%06x", unsigned{pattern.value}, unsigned{pattern.mask});
    return text.data();
}

std::string Rule::label() const {
    return shipped ? name : name + " (" + file + ":" + std::to_string(line) + ")";
}

std::string Rule::match_text() const {
    std::string out;
    const auto same = [](const std::string& text) { return text; };
    const auto written = [](const auto& pattern) { return to_text(pattern); };
    add_match(out, "driver", drivers, same);
    add_match(out, "bus", buses, same);
    add_match(out, "path", paths, same);
    add_match(out, "class", classes, same);
    add_match(out, "modalias", modalias, same);
    add_match(out, "pci_id", pci_ids, written);
    add_match(out, "pci_class", pci_classes, written);
    return out;
}

}  // namespace stillboot
