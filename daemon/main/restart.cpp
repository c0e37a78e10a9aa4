// SPDX-License-Identifier: Apache-2.0
// The end of this system.
#include "daemon/main/restart.hpp"

#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "config/base/process.hpp"
#include "kexec/handover/record.hpp"
#include "kexec/handover/system_restarter.hpp"

namespace stillboot {
namespace {

constexpr std::chrono::seconds sync_deadline{10};

// A disk that no longer answers keeps sync() for ever: a child waits for it in our place.
void sync_within(std::chrono::milliseconds limit) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::sync();
        ::_exit(0);
    }
    const UniqueFd pidfd(child < 0 ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    if (pidfd && wait_for_exit(pidfd.get(), limit)) {
        ::waitpid(child, nullptr, 0);
    }
}

std::string held_device(const Root& root) {
    quiesce::RunStateStore store(root);
    return handover::held_device(store, root);
}

void restart_by_sysrq(const Root& root, Log& log) {
    sync_within(sync_deadline);
    quiesce::KernelJournal journal(root);
    log.error(handover::SystemRestarter(root, journal, OnHang::restart).restart().message());
}

}  // namespace

std::optional<Message> why_no_restart(bool power_off, const Root& root) {
    const std::string device = power_off ? held_device(root) : std::string();
    return device.empty() ? std::nullopt
                          : std::optional<Message>(Message("daemon.cannot_power_off", {{"device", device}}));
}

void restart_machine(bool power_off, const Root& root, Log& log) {
    if (!held_device(root).empty()) {
        return restart_by_sysrq(root, log);
    }
    log.info(Message(power_off ? "daemon.powering_off" : "daemon.restarting"));
    if (::access("/run/systemd/system", F_OK) == 0) {
        SystemProcessRunner runner;
        const auto outcome = runner.run({{"systemctl", "--no-block", power_off ? "poweroff" : "reboot"}});
        if (outcome && outcome->ok()) {
            return;
        }
    }
    sync_within(sync_deadline);
    ::reboot(power_off ? RB_POWER_OFF : RB_AUTOBOOT);
    log.error(Message("daemon.restart_failed", {{"errno", errno_words(errno)}}));
}

}  // namespace stillboot
