// SPDX-License-Identifier: Apache-2.0
// The lock of the hand-over.
#include "kexec/handover/lock.hpp"

#include <fcntl.h>
#include <sys/file.h>

namespace stillboot::handover {

Result<Lock> Lock::take(const Root& root) {
    if (auto made = root.make_directories("/run/stillboot"); !made) {
        return made.error();
    }
    auto file = root.open_file("/run/stillboot/handover.lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (!file) {
        return file.error();
    }
    if (::flock(file->get(), LOCK_EX | LOCK_NB) != 0) {
        return Error("handover.busy");
    }
    return Lock(std::move(*file));
}

}  // namespace stillboot::handover
