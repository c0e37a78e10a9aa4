// SPDX-License-Identifier: Apache-2.0
// renameat2(2) below a root.
#include "config/base/rename_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace stillboot {

Result<void> rename_file(const Root& root, std::string_view path, std::string_view name) {
    const std::size_t slash = path.rfind('/');
    const std::string old_name(slash == path.npos ? path : path.substr(slash + 1));
    const std::string new_name(name);
    const auto failed = [&](int error_number) {
        return Error::from_errno(error_number, "base.rename_failed", {{"path", path}, {"name", name}});
    };
    if (new_name.find('/') != new_name.npos) {
        return failed(EINVAL);
    }
    const auto directory =
        root.open_file(slash == path.npos ? "." : path.substr(0, slash + 1), O_RDONLY | O_DIRECTORY);
    if (!directory) {
        return directory.error();
    }
    struct stat info = {};
    if (::fstatat(directory->get(), old_name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(info.st_mode)) {
        return Error("base.not_a_file", {{"path", path}});
    }
    const bool renamed = ::renameat2(directory->get(), old_name.c_str(), directory->get(), new_name.c_str(),
                                     RENAME_NOREPLACE) == 0 &&
                         ::fsync(directory->get()) == 0;
    return renamed ? Result<void>() : failed(errno);
}

}  // namespace stillboot
