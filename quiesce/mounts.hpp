// SPDX-License-Identifier: Apache-2.0
// Mount tables: this program's own, and those of processes that see another one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/base/root.hpp"

namespace stillboot::quiesce {

/// A line of /proc/PID/mountinfo.
struct Mount {
    std::string number;  ///< "259:2"; anonymous ("0:40") where no one block device is behind it
    std::string where;
    std::string type;
    std::string source;
    bool read_only = false;              ///< this mount, whatever the file system is
    bool file_system_read_only = false;  ///< the file system, whatever its mounts are
    std::string holder;                  ///< "dockerd (process 77)" where only that process's name space shows it
    std::vector<std::string> also;       ///< nodes that it writes to besides: an external log
};

/// All mounts that are to be found, our own first; those of other mount name spaces are seen by root alone.
/// Source: proc_pid_mountinfo(5).
/// @error quiesce.unreadable: what is not known to be mounted would be taken away under its file system
[[nodiscard]] Result<std::vector<Mount>> read_mounts(const Root& root);

/// Those of our own name space alone. @error quiesce.unreadable
[[nodiscard]] Result<std::vector<Mount>> read_own_mounts(const Root& root);

/// A table of /proc, whole. @error quiesce.unreadable: also one of more than 64 MiB
[[nodiscard]] Result<std::string> read_table(const Root& root, const std::string& path);

/// The octal escapes of tables in /proc: "\040" is a space.
[[nodiscard]] std::string unescape_octal(std::string_view text);

/// The mount of ours that holds a file, or null. The last of those at the longest path counts: it lies on top.
[[nodiscard]] const Mount* mount_of_file(const std::vector<Mount>& mounts, std::string_view file);

}  // namespace stillboot::quiesce
