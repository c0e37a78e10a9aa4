// SPDX-License-Identifier: Apache-2.0
// The reader of options.
#include "config/parse/grub/options.hpp"

#include <algorithm>

namespace stillboot::grub {
namespace {

using Value = OptionSpec::Value;

const OptionSpec* find(std::span<const OptionSpec> specs, std::string_view name, char letter) {
    const auto found = std::find_if(specs.begin(), specs.end(), [&](const OptionSpec& spec) {
        return letter != '\0' ? spec.letter == letter : spec.name == name;
    });
    return found == specs.end() ? nullptr : &*found;
}

}  // namespace

bool CommandOptions::has(std::string_view name) const {
    return std::any_of(given.begin(), given.end(), [&](const auto& option) { return option.first == name; });
}

std::string_view CommandOptions::value(std::string_view name) const {
    std::string_view value;
    for (const auto& [option, text] : given) {
        value = option == name && !text.empty() ? text : value;
    }
    return value;
}

CommandOptions read_options(std::span<const std::string_view> arguments, std::span<const OptionSpec> specs) {
    CommandOptions out;
    out.given.reserve(arguments.size());
    out.rest.reserve(arguments.size());
    bool only_rest = false;
    for (std::size_t at = 1; at < arguments.size(); ++at) {
        const std::string_view argument = arguments[at];
        if (only_rest || argument.size() < 2 || argument[0] != '-') {
            out.rest.push_back(argument);
        } else if (argument == "--") {
            only_rest = true;
        } else if (argument[1] == '-') {
            const std::size_t equals = std::min(argument.find('='), argument.size());
            const OptionSpec* spec = find(specs, argument.substr(2, equals - 2), '\0');
            const bool has_value = equals < argument.size();
            const bool takes_next = spec != nullptr && spec->value == Value::required && !has_value;
            if (spec == nullptr || (spec->value == Value::none && has_value) ||
                (takes_next && at + 1 >= arguments.size())) {
                out.unknown = out.unknown.empty() ? argument : out.unknown;
                continue;
            }
            out.given.emplace_back(spec->name, takes_next  ? arguments[++at]
                                               : has_value ? argument.substr(equals + 1)
                                                           : std::string_view());
        } else {
            for (const char letter : argument.substr(1)) {
                const OptionSpec* spec = find(specs, {}, letter);
                const bool takes_next = spec != nullptr && spec->value == Value::required;
                if (spec == nullptr || (takes_next && at + 1 >= arguments.size())) {
                    out.unknown = out.unknown.empty() ? argument : out.unknown;
                    break;
                }
                out.given.emplace_back(spec->name, takes_next ? arguments[++at] : std::string_view());
            }
        }
    }
    return out;
}

}  // namespace stillboot::grub
