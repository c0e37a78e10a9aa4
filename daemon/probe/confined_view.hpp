// SPDX-License-Identifier: Apache-2.0
// From a device's node to its files, and a process that can reach nothing else: the way both helpers begin.
#pragma once

#include <string>
#include <variant>

#include "config/base/result.hpp"
#include "config/base/root.hpp"
#include "daemon/probe/identify.hpp"
#include "daemon/probe/sandbox.hpp"

namespace stillboot::probe {

struct View {
    FileSystem system;
    Root root;  ///< of the file system
};

using Look = std::variant<View, Container, Nothing>;

/// The layers of the confinement after mounting. Every program keeps all; a test switches one off at a time to
/// show which one it is that refuses.
struct Layers {
    bool root = true;
    bool capabilities = true;
    bool system_calls = true;
};

/// Opens a device, finds out what it holds, mounts a read-only view of a file system, and confines this process
/// to it, for good: its root is the view's, it has no capability, and of the system calls only those that read.
/// It stays uid 0: a grub.cfg of mode 0600 is root's, and without CAP_DAC_READ_SEARCH (which would be one too
/// many: it opens files by handle) only its owner reads it. A uid without capabilities, without a path out of a
/// read-only view and without the calls that act on other processes is as good as nobody's.
/// Needs to be started as root, with one thread. `node` may name an image file.
/// @error probe.device_unreadable, probe.identify_crashed, probe.loop_failed, probe.mount_failed,
/// probe.type_missing, probe.sandbox_failed
/// Blocking: as long as the disk takes.
[[nodiscard]] Result<Look> look_into(const std::string& node, const Limits& limits, const Layers& layers = {});

/// Gives up everything but what is open already. @error probe.sandbox_failed
[[nodiscard]] Result<void> confine_to_open_files(const Limits& limits);

}  // namespace stillboot::probe
