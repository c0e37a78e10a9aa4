// SPDX-License-Identifier: Apache-2.0
// A detached mount with two files.
#include "daemon/state/partition_store.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stillboot::state {
namespace {

std::string file_name(int which) {
    return "stillboot." + std::to_string(which);
}

UniqueFd mount_as(const std::string& node, const char* type) {
    const UniqueFd context(::fsopen(type, FSOPEN_CLOEXEC));
    if (!context || ::fsconfig(context.get(), FSCONFIG_SET_STRING, "source", node.c_str(), 0) != 0 ||
        ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
        return UniqueFd();
    }
    return UniqueFd(
        ::fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
}

Result<std::unique_ptr<CopyPlaces>> mount_store(const std::string& node) {
    int why = 0;
    for (const char* const type : {"vfat", "ext4"}) {
        UniqueFd mounted = mount_as(node, type);
        if (mounted) {
            return std::unique_ptr<CopyPlaces>(std::make_unique<FilePlaces>(std::move(mounted)));
        }
        why = errno;
    }
    return Error::from_errno(why, "state.mount_failed", {{"device", node}});
}

}  // namespace

std::string FilePlaces::name(int which) const {
    return "file " + file_name(which);
}

Result<std::string> FilePlaces::read(int which) const {
    const UniqueFd file(::openat(directory_.get(), file_name(which).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file && errno == ENOENT) {
        return std::string();
    }
    std::string bytes(copy_bytes, '\0');
    const ssize_t count = file ? ::pread(file.get(), bytes.data(), bytes.size(), 0) : -1;
    if (count < 0) {
        return Error::from_errno(errno, "state.read_failed", {{"copy", name(which)}});
    }
    bytes.resize(static_cast<std::size_t>(count));
    return bytes;
}

// Written whole at once, zeros to the end: its blocks are there from the first time on.
Result<void> FilePlaces::write(int which, std::string bytes) const {
    bytes.resize(copy_bytes);
    const UniqueFd file(
        ::openat(directory_.get(), file_name(which).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    const ssize_t count = file ? ::pwrite(file.get(), bytes.data(), bytes.size(), 0) : -1;
    if (count >= 0 && count < static_cast<ssize_t>(bytes.size())) {
        // Its zeros alone may be missing: what is said to be not kept must not be read later.
        (void)::ftruncate(file.get(), 0);
        errno = ENOSPC;
    } else if (count >= 0 && ::fsync(file.get()) == 0) {
        return {};
    }
    return write_error(errno, name(which));
}

PartitionStore::PartitionStore(const std::string& node, std::chrono::milliseconds deadline)
    : TwoCopyStore(node, [node] { return mount_store(node); }, deadline) {}

}  // namespace stillboot::state
