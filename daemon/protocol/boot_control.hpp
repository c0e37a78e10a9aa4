// SPDX-License-Identifier: Apache-2.0
// io.systemd.BootControl: our options as systemd's tools know boot entries.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/protocol/types.hpp"
#include "daemon/protocol/varlink.hpp"

namespace stillboot::protocol {

inline constexpr std::string_view boot_control_interface = "io.systemd.BootControl";
inline constexpr std::string_view list_boot_entries_name = "io.systemd.BootControl.ListBootEntries";

/// One option as a BootEntry. What we have no word for is left out, as systemd leaves out what is null.
/// @param on_fat    the configuration stands on a FAT file system
[[nodiscard]] boost::json::object boot_entry(const Option& option, bool on_fat, bool is_default);

/// The answer to ListBootEntries, one reply an entry, as one piece of text; an error where there is none.
[[nodiscard]] std::string boot_entry_frames(const std::vector<boost::json::object>& entries);

}  // namespace stillboot::protocol
