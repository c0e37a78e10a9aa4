// SPDX-License-Identifier: Apache-2.0
// A menu as the script leaves it, and the words by which $default picks from it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/parse/grub/script.hpp"
#include "config/parse/grub/syntax.hpp"

namespace stillboot::grub {

/// One line of a menu. Its texts live in the evaluation's permanent arena.
struct MenuItem {
    const Script* script = nullptr;
    std::uint32_t offset = 0;  ///< of the command that made it
    Range body;
    std::string_view id;
    std::span<const std::string_view> parameters;  ///< the title first
    bool submenu = false;
    bool unrestricted = false;         ///< open to everyone where $superusers protects the others by a password
    std::optional<std::size_t> ready;  ///< index of an option that another parser made

    [[nodiscard]] std::string_view title() const { return parameters.empty() ? "" : parameters[0]; }
};

struct Menu {
    std::vector<MenuItem> items;
};

/// What $default asks for: the first step of its path, and what is left for the submenu.
struct Selection {
    std::size_t index = 0;
    std::string rest;
    bool found = true;  ///< false: it names nothing, and GRUB takes the first
};

/// A number counts from 0; any other text is a title or an id. '>' leads into a submenu, ">>" is a '>' itself.
[[nodiscard]] Selection select(const Menu& menu, std::string_view wanted);

/// A text cut to letters, digits and '-', in lower case; bytes above 127 stay. Empty becomes "entry".
[[nodiscard]] std::string slug(std::string_view text);

}  // namespace stillboot::grub
