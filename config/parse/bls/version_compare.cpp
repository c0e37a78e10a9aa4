// SPDX-License-Identifier: Apache-2.0
// Comparison of versions, section by section.
#include "config/parse/bls/version_compare.hpp"

#include <algorithm>

namespace stillboot {
namespace {

// Written out, for the C library's answer depends on the locale.
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string_view skip_noise(std::string_view text) {
    constexpr std::string_view separators = "-.~^";
    while (!text.empty() && !is_digit(text[0]) && !is_letter(text[0]) && separators.find(text[0]) == text.npos) {
        text.remove_prefix(1);
    }
    return text;
}

template <class Predicate>
std::string_view take_while(std::string_view& text, Predicate predicate) {
    const auto end = std::find_if_not(text.begin(), text.end(), predicate);
    const std::string_view taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(taken.size());
    return taken;
}

/// Compares the numbers or letters at the front of both, and takes them away.
std::weak_ordering compare_section(std::string_view& a, std::string_view& b) {
    if ((!a.empty() && is_digit(a[0])) || (!b.empty() && is_digit(b[0]))) {
        std::string_view left = take_while(a, is_digit);
        std::string_view right = take_while(b, is_digit);
        if (left.empty() != right.empty()) {
            return right.empty() <=> left.empty();  // a number is newer than letters
        }
        (void)take_while(left, [](char c) { return c == '0'; });
        (void)take_while(right, [](char c) { return c == '0'; });
        // By length first: numbers of any size, without converting them.
        return left.size() != right.size() ? left.size() <=> right.size() : left.compare(right) <=> 0;
    }
    const std::string_view left = take_while(a, is_letter);
    const std::string_view right = take_while(b, is_letter);
    return left.compare(right) <=> 0;
}

}  // namespace

std::weak_ordering compare_versions(std::string_view a, std::string_view b) {
    const auto starts = [](std::string_view text, char c) { return !text.empty() && text[0] == c; };
    // Takes a separator that both have; where only one has it, that one is older.
    const auto compare_separator = [&](char separator) {
        const auto order = starts(b, separator) <=> starts(a, separator);
        if (order == 0 && starts(a, separator)) {
            a.remove_prefix(1);
            b.remove_prefix(1);
        }
        return order;
    };
    for (;;) {
        a = skip_noise(a);
        b = skip_noise(b);
        // The tilde comes even before the end: "1~rc" is older than "1", and "1-x" newer.
        if (const auto order = compare_separator('~'); order != 0) {
            return order;
        }
        if (a.empty() || b.empty()) {
            return b.empty() <=> a.empty();
        }
        for (const char separator : {'-', '^', '.'}) {
            if (const auto order = compare_separator(separator); order != 0) {
                return order;
            }
        }
        if (const auto order = compare_section(a, b); order != 0) {
            return order;
        }
    }
}

}  // namespace stillboot
