// SPDX-License-Identifier: Apache-2.0
// A detached mount, with what each driver is told.
#include "daemon/state/mount.hpp"

#include <sys/mount.h>

namespace stillboot::state {
namespace {

struct Option {
    std::string_view driver;
    const char* key;
    const char* value;  ///< or null for a flag
};

constexpr Option options[] = {
    // A superblock may say errors=panic, which would stop the machine.
    {"ext4", "errors", "remount-ro"},
    // It would begin to write tables that mkfs has left for later.
    {"ext4", "noinit_itable", nullptr},
    {"xfs", "nouuid", nullptr},
    // Names as the scan has read them.
    {"vfat", "utf8", nullptr},
};

bool configure(int context, unsigned command, const char* key, const char* value) {
    return ::fsconfig(context, command, key, value, 0) == 0;
}

bool configure(int context, const std::string& source, std::string_view driver) {
    bool good = configure(context, FSCONFIG_SET_STRING, "source", source.c_str());
    for (const auto& option : options) {
        if (good && option.driver == driver) {
            good = configure(context, option.value == nullptr ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING,
                             option.key, option.value);
        }
    }
    return good && configure(context, FSCONFIG_CMD_CREATE, nullptr, nullptr);
}

}  // namespace

UniqueFd mount_writable(const std::string& source, std::string_view driver) {
    const UniqueFd context(::fsopen(std::string(driver).c_str(), FSOPEN_CLOEXEC));
    if (!context || !configure(context.get(), source, driver)) {
        return UniqueFd();
    }
    return UniqueFd(
        ::fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
}

}  // namespace stillboot::state
