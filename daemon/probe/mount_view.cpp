// SPDX-License-Identifier: Apache-2.0
// Loop devices and detached mounts.
#include "daemon/probe/mount_view.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

// <sys/mount.h> and <linux/mount.h> cannot be included together on every libc of today.
extern "C" int mount(const char*, const char*, const char*, unsigned long, const void*) noexcept;

namespace stillboot::probe {
namespace {

constexpr unsigned long ms_rec_private = (1UL << 14) | (1UL << 18);

struct Driver {
    std::string_view blkid_type;
    std::string_view driver;
};

// Not every file system the kernel knows: each driver in this list is code that a hostile disk can reach.
constexpr Driver drivers[] = {
    {"ext2", "ext4"},       {"ext3", "ext4"},         {"ext4", "ext4"}, {"xfs", "xfs"},   {"btrfs", "btrfs"},
    {"iso9660", "iso9660"}, {"squashfs", "squashfs"}, {"f2fs", "f2fs"}, {"vfat", "vfat"},
};

struct Option {
    std::string_view driver;
    const char* key;
    const char* value;  ///< or null for a flag
};

constexpr Option options[] = {
    {"ext4", "noload", nullptr},
    // A superblock may say errors=panic, which would stop the machine.
    {"ext4", "errors", "continue"},
    {"xfs", "norecovery", nullptr},
    // A copied disk has the same UUID, and may be mounted at the same time.
    {"xfs", "nouuid", nullptr},
    {"btrfs", "rescue", "nologreplay"},
    // From the top: where /boot is, is not decided by the default subvolume.
    {"btrfs", "subvolid", "5"},
    {"f2fs", "norecovery", nullptr},
    {"vfat", "utf8", nullptr},
};

// The kernel's own words about a failed mount, less their level: "ext4: bad geometry …".
std::string kernel_words(int context) {
    std::string words;
    std::array<char, 512> line;
    for (;;) {
        const ssize_t count = ::read(context, line.data(), line.size());
        if (count <= 2) {
            return words;
        }
        words += (words.empty() ? "" : "; ") + std::string(line.data() + 2, static_cast<std::size_t>(count) - 2);
    }
}

Error mount_error(int error_number, int context, std::string_view driver) {
    const std::string words = context < 0 ? std::string() : kernel_words(context);
    return Error::from_errno(error_number, "probe.mount_failed",
                             {{"type", driver}, {"words", words.empty() ? words : " (" + words + ")"}});
}

int configure(int context, unsigned command, const char* key, const char* value) {
    return static_cast<int>(::syscall(SYS_fsconfig, context, command, key, value, 0));
}

bool set_options(int context, const std::string& node, std::string_view driver) {
    bool good = configure(context, FSCONFIG_SET_STRING, "source", node.c_str()) == 0 &&
                configure(context, FSCONFIG_SET_FLAG, "ro", nullptr) == 0;
    for (const auto& option : options) {
        if (good && option.driver == driver) {
            good = configure(context, option.value == nullptr ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING,
                             option.key, option.value) == 0;
        }
    }
    return good;
}

// A copy of a btrfs cannot be mounted while its twin is: the kernel tells them apart by UUID alone. The twin is
// being scanned and will be done soon; our parent's deadline ends the waiting.
bool create_superblock(int context, std::string_view driver) {
    constexpr int attempts = 100;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        if (configure(context, FSCONFIG_CMD_CREATE, nullptr, nullptr) == 0) {
            return true;
        }
        if (driver != "btrfs" || (errno != EEXIST && errno != EBUSY)) {
            return false;
        }
        const struct timespec pause = {0, 100'000'000};
        ::nanosleep(&pause, nullptr);
    }
    return false;
}

// Past the cache of the device itself, so that nothing is read into memory twice: 8 MB took 0.3 s under emulation
// rather than 0.7 s. Only where sectors have the 512 bytes of a loop device, for a direct read is made of whole
// sectors.
std::uint32_t reading_flags(int device) {
    struct stat info = {};
    int sector_bytes = 0;
    const bool suits = ::fstat(device, &info) == 0 && S_ISBLK(info.st_mode) &&
                       ::ioctl(device, BLKSSZGET, &sector_bytes) == 0 && sector_bytes == 512;
    return suits ? LO_FLAGS_DIRECT_IO : 0;
}

Error loop_error(std::string_view step) {
    return Error::from_errno(errno, "probe.loop_failed", {{"step", step}});
}

}  // namespace

std::string_view driver_of(std::string_view blkid_type) {
    const auto* found = std::find_if(std::begin(drivers), std::end(drivers),
                                     [&](const Driver& each) { return each.blkid_type == blkid_type; });
    return found == std::end(drivers) ? std::string_view() : found->driver;
}

Result<LoopView> make_loop_view(int device) {
    const UniqueFd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    if (!control) {
        return loop_error("/dev/loop-control");
    }
    struct loop_config config = {};
    config.fd = static_cast<std::uint32_t>(device);
    config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR | reading_flags(device);
    constexpr int attempts = 64;  // another process may take the number that we were given
    for (int attempt = 0; attempt < attempts; ++attempt) {
        const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
        if (number < 0) {
            return loop_error("LOOP_CTL_GET_FREE");
        }
        LoopView view;
        view.node = "/dev/loop" + std::to_string(number);
        view.fd = UniqueFd(::open(view.node.c_str(), O_RDONLY | O_CLOEXEC));
        if (!view.fd) {
            return loop_error(view.node);
        }
        if (::ioctl(view.fd.get(), LOOP_CONFIGURE, &config) == 0) {
            return view;
        }
        if (errno != EBUSY) {
            return loop_error("LOOP_CONFIGURE");
        }
    }
    return loop_error("LOOP_CONFIGURE");
}

Result<UniqueFd> mount_detached(const std::string& node, std::string_view driver) {
    const UniqueFd context(static_cast<int>(::syscall(SYS_fsopen, std::string(driver).c_str(), FSOPEN_CLOEXEC)));
    if (!context) {
        return errno == ENODEV ? Error("probe.type_missing", {{"type", driver}}) : mount_error(errno, -1, driver);
    }
    if (!set_options(context.get(), node, driver) || !create_superblock(context.get(), driver)) {
        return mount_error(errno, context.get(), driver);
    }
    UniqueFd view(
        static_cast<int>(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC,
                                   MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)));
    if (!view) {
        return mount_error(errno, context.get(), driver);
    }
    return view;
}

Result<void> leave_mount_namespace() {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, ms_rec_private, nullptr) != 0) {
        return Error::from_errno(errno, "probe.sandbox_failed", {{"step", "private mount namespace"}});
    }
    return {};
}

}  // namespace stillboot::probe
