// SPDX-License-Identifier: Apache-2.0
// An inventory to the standard output, and back from a file.
#pragma once

#include "quiesce/recorded_inventory.hpp"
#include "ui/cli/context.hpp"

namespace stillboot::cli {

/// Prints this machine's inventory. @param identities leave serial numbers, addresses and names as they are.
[[nodiscard]] ExitCode record_inventory(const Context& context, bool identities);

/// Reads a file, or the standard input for "-". @error cli.no_such_path, base.file_too_large, base.read_failed,
/// or those of quiesce::inventory_from_json
[[nodiscard]] Result<quiesce::RecordedInventory> inventory_of_file(const std::string& path);

}  // namespace stillboot::cli
