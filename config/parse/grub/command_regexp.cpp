// SPDX-License-Identifier: Apache-2.0
// `regexp`: POSIX extended expressions, of the simple kind that a configuration holds.
#include <regex.h>

#include <array>

#include "config/parse/grub/condition.hpp"
#include "config/parse/grub/evaluator.hpp"
#include "config/parse/grub/options.hpp"

namespace stillboot::grub {
namespace {

constexpr std::size_t max_pattern = 256;
constexpr std::size_t max_text = 4096;

class Pattern {
public:
    explicit Pattern(const std::string& text) : good_(::regcomp(&compiled_, text.c_str(), REG_EXTENDED) == 0) {}
    Pattern(const Pattern&) = delete;
    Pattern& operator=(const Pattern&) = delete;
    ~Pattern() {
        if (good_) {
            ::regfree(&compiled_);
        }
    }
    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] bool match(const std::string& text, std::span<regmatch_t> groups) const {
        return ::regexec(&compiled_, text.c_str(), groups.size(), groups.data(), 0) == 0;
    }

private:
    regex_t compiled_{};
    bool good_;
};

// Repetition counts and back references make the C library's matcher take memory and time without end.
bool is_harmless(std::string_view pattern, std::string_view text) {
    bool back_reference = false;
    for (std::size_t at = 0; at + 1 < pattern.size(); ++at) {
        back_reference =
            back_reference || (pattern[at] == '\\' && pattern[at + 1] >= '0' && pattern[at + 1] <= '9');
    }
    return pattern.size() <= max_pattern && text.size() <= max_text && pattern.find('{') == pattern.npos &&
           !back_reference && pattern.find('\0') == pattern.npos;
}

}  // namespace

int Evaluator::do_regexp(const Call& call) {
    static constexpr OptionSpec specs[] = {{"set", 's', OptionSpec::Value::required}};
    const CommandOptions options = read_options(call.arguments, specs);
    if (!options.unknown.empty() || options.rest.size() != 2) {
        report(Severity::warning, call, Message("grub.bad_arguments", {{"command", call.arguments[0]}}));
        return status::bad_argument;
    }
    if (!is_harmless(options.rest[0], options.rest[1])) {
        report(Severity::warning, call, Message("grub.regexp_refused"));
        return status::failed;
    }
    const Pattern pattern{std::string(options.rest[0])};
    const std::string text(options.rest[1]);
    std::array<regmatch_t, 10> groups{};
    if (!pattern.good()) {
        report(Severity::warning, call, Message("grub.regexp_bad", {{"pattern", options.rest[0]}}));
        return status::failed;
    }
    if (!pattern.match(text, groups)) {
        return status::failed;
    }
    for (const auto& [name, value] : options.given) {
        const std::size_t colon = value.find(':');
        const bool numbered = colon != value.npos;
        const auto number = numbered ? number_of(value.substr(0, colon)) : 1;
        if (number < 0 || number >= static_cast<long long>(groups.size()) ||
            groups[static_cast<std::size_t>(number)].rm_so < 0) {
            continue;
        }
        const regmatch_t& group = groups[static_cast<std::size_t>(number)];
        set_variable(call, numbered ? value.substr(colon + 1) : value,
                     std::string_view(text).substr(static_cast<std::size_t>(group.rm_so),
                                                   static_cast<std::size_t>(group.rm_eo - group.rm_so)));
    }
    return status::ok;
}

}  // namespace stillboot::grub
