// SPDX-License-Identifier: Apache-2.0
// What looks like a secret on a kernel command line, in a log or in a URL.
#include "ui/cli/secrets.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace stillboot::cli {
namespace {

constexpr std::string_view left_out = "(left out)";

bool sounds_secret(std::string_view name) {
    constexpr std::array<std::string_view, 7> words = {"pass", "pwd", "secret", "token", "key", "cred", "psk"};
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return lower.find(word) != lower.npos; });
}

bool ends_name(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '"' || c == '\'' || c == '&' || c == '?' || c == ',';
}

// The end of a value: a blank outside quotes, which a value may have anywhere in it, or the end of the quotes that
// it stands in.
std::size_t end_of_value(std::string_view text, std::size_t at, char around) {
    char quote = around;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        const bool blank = c == ' ' || c == '\t' || c == '\n';
        if ((quote == '\0' && blank) || (around != '\0' && c == around)) {
            break;
        }
        if (quote != '\0') {
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        }
    }
    return at;
}

std::string without_values(std::string_view text) {
    std::string out;
    std::size_t name = 0;
    char quote = '\0';
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        out += c;
        if (c == quote) {
            quote = '\0';
        } else if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
        }
        if (ends_name(c)) {
            name = at + 1;
        } else if (c == '=' && sounds_secret(text.substr(name, at - name))) {
            out += left_out;
            at = end_of_value(text, at + 1, quote) - 1;
            name = at + 1;
        }
    }
    return out;
}

/// @param before  what a login stands behind  @param ends  what no longer belongs to it or its host
std::string without_logins(std::string text, std::string_view before, std::string_view ends) {
    for (std::size_t at = text.find(before); at != text.npos; at = text.find(before, at + before.size())) {
        const std::size_t host = at + before.size();
        const std::size_t end = std::min(text.find_first_of(ends, host), text.size());
        const std::size_t login = text.substr(host, end - host).rfind('@');
        if (login != std::string::npos) {
            text.replace(host, login, left_out);
        }
    }
    return text;
}

}  // namespace

std::string without_secrets(std::string_view text) {
    // dracut.cmdline(7): iscsi:USER:PASSWORD@HOST:…, whose password may have a slash.
    return without_logins(without_logins(without_values(text), "://", "/ \t\n\"'"), "iscsi:", " \t\n\"'");
}

void leave_out_secrets(boost::json::value& value) {
    if (auto* text = value.if_string()) {
        *text = without_secrets(*text);
    } else if (auto* array = value.if_array()) {
        for (auto& each : *array) {
            leave_out_secrets(each);
        }
    } else if (auto* object = value.if_object()) {
        for (auto& each : *object) {
            leave_out_secrets(each.value());
        }
    }
}

}  // namespace stillboot::cli
