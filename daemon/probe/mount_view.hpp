// SPDX-License-Identifier: Apache-2.0
// A read-only look into a file system that leaves its device bit for bit as it was.
#pragma once

#include <string>
#include <string_view>

#include "config/base/result.hpp"
#include "config/base/unique_fd.hpp"

namespace stillboot::probe {

/// The kernel's driver for a type as blkid names it ("ext2", "ext3", "ext4" -> "ext4"), or an empty view for one
/// that this build does not mount. Only these are ever handed to mount. Lifetime: static.
[[nodiscard]] std::string_view driver_of(std::string_view blkid_type);

/// A read-only loop device over a block device or an image file. The block layer refuses every write to it,
/// which a device set read-only by BLKROSET does not before Linux 6.5. It goes with its last user.
struct LoopView {
    UniqueFd fd;
    std::string node;  ///< "/dev/loop3"
};

/// Sets up the loop device; `device` must be open O_RDONLY. @error probe.loop_failed
[[nodiscard]] Result<LoopView> make_loop_view(int device);

/// Mounts a device (a LoopView's node) read-only with options that replay no journal and run no repair, nosuid,
/// nodev, noexec, and attaches it nowhere: the descriptor is the only way in, and the mount ends with it.
/// Needs CAP_SYS_ADMIN. Loads the file system's module through the kernel's own modprobe where it is missing.
/// @param driver one of driver_of's  @error probe.mount_failed with the kernel's words, probe.type_missing
[[nodiscard]] Result<UniqueFd> mount_detached(const std::string& node, std::string_view driver);

/// A private mount namespace, so that nothing mounted here is seen elsewhere. @error probe.sandbox_failed
[[nodiscard]] Result<void> leave_mount_namespace();

}  // namespace stillboot::probe
