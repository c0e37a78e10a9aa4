// SPDX-License-Identifier: Apache-2.0
// GRUB's environment block (grubenv): the small file in which it keeps variables between boots.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/model/diagnostic.hpp"

namespace stillboot {

struct EnvironmentBlock {
    std::vector<std::pair<std::string, std::string>> variables;  ///< in file order; a later one overrides
    std::vector<Diagnostic> diagnostics;
};

/// Reads an environment block: the header line "# GRUB Environment Block", then `name=value` lines in which a
/// backslash makes the next byte literal (so that a value may hold a newline), then '#' up to the end.
///
/// @param text the whole file; 1024 bytes as grub-editenv makes it, at most 64 KiB are read
/// @param file names it in diagnostics
/// @error none: what cannot be read is a diagnostic, and the variables before and after it stay.
/// Source: the GNU GRUB manual 2.06, section 15.2; the bytes that grub-editenv 2.06 writes and accepts.
[[nodiscard]] EnvironmentBlock parse_environment_block(std::string_view text, std::string_view file);

}  // namespace stillboot
