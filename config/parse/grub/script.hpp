// SPDX-License-Identifier: Apache-2.0
// The text of one script with the means to say where in it something stands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stillboot::grub {

struct Position {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

class Script {
public:
    Script(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {}
    /// A text that a command evaluates: everything in it stands where that command stands.
    Script(std::string name, std::string text, Position fixed)
        : name_(std::move(name)), text_(std::move(text)), fixed_(fixed) {}

    /// What diagnostics call it: the path, with its device in parentheses where that is another one.
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] std::string_view text() const { return text_; }
    /// Line and column in bytes, both from 1, of a byte. Counts at most a few thousand bytes.
    [[nodiscard]] Position position(std::uint32_t offset) const;

private:
    void count_lines() const;

    std::string name_;
    std::string text_;
    Position fixed_;
    struct Known {
        std::size_t offset = 0;
        std::uint32_t line = 0;  ///< newlines before it
    };
    mutable Known last_;
    mutable std::vector<std::uint32_t> lines_before_;  ///< newlines before each stride, made on first use
};

}  // namespace stillboot::grub
