// SPDX-License-Identifier: Apache-2.0
// The options of GRUB's commands: "--name", "--name=value", "-x", bundles of them, and what is left.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace stillboot::grub {

struct OptionSpec {
    enum class Value : std::uint8_t { none, optional, required };
    std::string_view name;
    char letter = '\0';
    Value value = Value::none;
};

struct CommandOptions {
    std::vector<std::pair<std::string_view, std::string_view>> given;  ///< by long name; the value or empty
    std::vector<std::string_view> rest;
    std::string_view unknown;  ///< the first option that the command does not have, or that lacks its value

    [[nodiscard]] bool has(std::string_view name) const;
    /// The value of the last one given with a value, or empty.
    [[nodiscard]] std::string_view value(std::string_view name) const;
};

/// Reads the arguments of a command, its name first. A value that is required may follow as the next argument;
/// one that is optional only behind '=' (how `search` takes "--set var" is its own affair).
[[nodiscard]] CommandOptions read_options(std::span<const std::string_view> arguments,
                                          std::span<const OptionSpec> specs);

}  // namespace stillboot::grub
