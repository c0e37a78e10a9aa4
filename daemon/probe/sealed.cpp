// SPDX-License-Identifier: Apache-2.0
// Checks of received memfds.
#include "daemon/probe/sealed.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace stillboot::probe {

Result<std::uint64_t> check_sealed(int fd, std::uint64_t max_bytes, std::string_view name) {
    constexpr int needed = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    const int seals = ::fcntl(fd, F_GET_SEALS);
    struct statfs file_system = {};
    struct stat info = {};
    // hugetlbfs has sealed memfds as well, and a hole in one of those faults when it is read through a mapping.
    if (seals < 0 || (seals & needed) != needed || ::fstatfs(fd, &file_system) != 0 ||
        file_system.f_type != TMPFS_MAGIC || ::fstat(fd, &info) != 0 || ::lseek(fd, 0, SEEK_SET) != 0) {
        return Error("probe.not_sealed", {{"name", name}});
    }
    const auto size = static_cast<std::uint64_t>(info.st_size);
    if (size > max_bytes) {
        return Error("base.file_too_large", {{"path", name}, {"limit_bytes", max_bytes}});
    }
    return size;
}

Result<std::string> read_sealed(int fd, std::uint64_t max_bytes, std::string_view name) {
    auto size = check_sealed(fd, max_bytes, name);
    if (!size) {
        return size.error();
    }
    std::string text(*size, '\0');
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t count = ::pread(fd, text.data() + done, text.size() - done, static_cast<off_t>(done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return Error::from_errno(count < 0 ? errno : EIO, "base.read_failed", {{"path", name}});
        }
        done += static_cast<std::size_t>(count);
    }
    return text;
}

}  // namespace stillboot::probe
