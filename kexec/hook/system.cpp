// SPDX-License-Identifier: Apache-2.0
// Other hooks, written data, and pages that stay.
#include "kexec/hook/system.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/base/process.hpp"
#include "config/base/process_stat.hpp"
#include "quiesce/holders.hpp"
#include "quiesce/sysfs.hpp"

namespace stillboot::hook {
namespace {

constexpr std::chrono::milliseconds tick{50};

/// The parent of a process that still runs; 0 where it has ended.
pid_t parent_of(const Root& root, const std::string& pid) {
    const auto stat = process_stat_of(quiesce::attribute_or_empty(root, "/proc/" + pid + "/stat"));
    return !stat || stat->state == 'Z' || stat->state == 'X' ? 0 : stat->parent;
}

}  // namespace

Result<void> lock_in_memory() {
    if (::mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        return Error::from_errno(errno, "hook.not_locked");
    }
    return {};
}

std::vector<std::string> SystemSurroundings::other_hooks() const {
    std::vector<std::string> names;
    if (parent_ <= 1) {  // started by hand, or by somebody who is gone: nothing says who belongs to us
        return names;
    }
    for (const std::string& pid : quiesce::processes(root_)) {
        if (pid != std::to_string(self_) && parent_of(root_, pid) == parent_) {
            names.push_back(quiesce::command_of(root_, pid));
        }
    }
    return names;
}

std::vector<std::string> SystemSurroundings::wait_for_other_hooks(std::chrono::milliseconds deadline) {
    auto left = deadline;
    auto names = other_hooks();
    while (!names.empty() && left > tick) {
        pause_.wait(tick);
        left -= tick;
        names = other_hooks();
    }
    return names;
}

bool SystemSurroundings::write_back(std::chrono::milliseconds deadline) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::sync();
        ::_exit(0);
    }
    const UniqueFd pidfd(child < 0 ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    if (!pidfd || !wait_for_exit(pidfd.get(), deadline)) {
        return false;
    }
    ::waitpid(child, nullptr, 0);
    return true;
}

}  // namespace stillboot::hook
