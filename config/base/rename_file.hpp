// SPDX-License-Identifier: Apache-2.0
// Another name for a file.
#pragma once

#include <string_view>

#include "config/base/root.hpp"

namespace stillboot {

/// Gives a regular file another name in its directory, never over another file, and syncs the directory. The last
/// component of the path is not followed. @error base.open_failed, base.not_a_file, base.rename_failed
[[nodiscard]] Result<void> rename_file(const Root& root, std::string_view path, std::string_view name);

}  // namespace stillboot
