// SPDX-License-Identifier: Apache-2.0
// Whether a file system was left with an unreplayed journal: then a view that replays none may show old files.
#pragma once

#include <string_view>

namespace stillboot::probe {

/// True where the superblock (ext3/4, btrfs), the checkpoint (f2fs) or the log (xfs) says that changes are still
/// to be replayed. False where it cannot be read: the mount says more about that than we could.
/// Sources: the on-disk formats in Linux's fs/ext4/ext4.h, fs/btrfs/ctree.h, include/linux/f2fs_fs.h and
/// fs/xfs/libxfs/xfs_log_format.h.
[[nodiscard]] bool journal_pending(int fd, std::string_view type);

}  // namespace stillboot::probe
