// SPDX-License-Identifier: Apache-2.0
// Boot counting in the file name of an entry.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/model/boot_option.hpp"

namespace stillboot {

/// "name+LEFT-DONE.conf" taken apart. Source: the Boot Loader Specification, "Boot counting".
struct CountedName {
    std::string stem;  ///< "name"
    std::optional<BootTries> tries;
    std::string suffix;  ///< ".conf" or ".efi"

    bool operator==(const CountedName&) const = default;
};

/// A file name taken apart; empty where it is none of an entry, or has nothing before the suffix. Counters that
/// are no numbers belong to the name, as the specification says.
[[nodiscard]] std::optional<CountedName> counted_name_of(std::string_view file_name);

/// The file name again; a DONE of zero is left out.
[[nodiscard]] std::string to_text(const CountedName& name);

/// The counters once one more try has begun. `tries.left` must not be zero.
[[nodiscard]] BootTries after_try(BootTries tries);

}  // namespace stillboot
