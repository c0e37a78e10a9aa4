// SPDX-License-Identifier: Apache-2.0
// Who may do what: four roles, each with all that the one before it may do.
#pragma once

#include <optional>
#include <string_view>

namespace stillboot::protocol {

/// look: read everything. boot: choose what boots, stop it, scan again. configure: settings and defaults.
/// all: restart the machine, switch it off, and whatever else there is.
enum class Role { look, boot, configure, all };

/// "look", "boot", "configure", "all". Lifetime: static.
[[nodiscard]] constexpr std::string_view to_word(Role role) {
    switch (role) {
        case Role::look: return "look";
        case Role::boot: return "boot";
        case Role::configure: return "configure";
        case Role::all: break;
    }
    return "all";
}

/// The role of a word, or nothing.
[[nodiscard]] constexpr std::optional<Role> role_of_word(std::string_view word) {
    for (const Role role : {Role::look, Role::boot, Role::configure, Role::all}) {
        if (to_word(role) == word) {
            return role;
        }
    }
    return std::nullopt;
}

[[nodiscard]] constexpr bool includes(Role has, Role needed) {
    return has >= needed;
}

}  // namespace stillboot::protocol
