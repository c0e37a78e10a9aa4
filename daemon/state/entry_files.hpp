// SPDX-License-Identifier: Apache-2.0
// The one write to a file system that holds boot entries: another name for an entry's file.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "config/base/root.hpp"
#include "daemon/state/mount.hpp"

namespace stillboot::state {

/// How a file system is mounted: as mount_writable() does it.
using Mount = std::function<UniqueFd(const std::string& source, std::string_view driver)>;

/// True for the types that on_writable() mounts. A file system that is written to replays its journal first.
[[nodiscard]] bool is_writable_type(std::string_view filesystem);

/// Mounts a file system writable, for us alone and in no mount table, does `act` with it and dissolves the mount,
/// which writes everything out. `act` owns what it touches: where the device hangs in the kernel, it is left to
/// itself on a thread of its own. Blocking: until the deadline.
/// @param node "/dev/sda1"  @param filesystem as blkid names its type; empty for whichever of them it is
/// @error state.not_writable, state.entry_mount_failed, state.entry_hangs, and those of `act`
[[nodiscard]] Result<void> on_writable(const std::string& node, const std::string& filesystem,
                                       std::function<Result<void>(const Root&)> act,
                                       std::chrono::milliseconds deadline = std::chrono::seconds(15),
                                       Mount mount = mount_writable);

/// The file is called `to` from now on; nothing is done where it is already and `from` is not there.
/// @error those of rename_file()
[[nodiscard]] Result<void> rename_entry(const Root& root, const std::string& directory, const std::string& from,
                                        const std::string& to);

}  // namespace stillboot::state
