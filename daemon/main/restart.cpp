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

void restart_past(const std::string& device, const Root& root, bool power_off, Log& log) {
    if (power_off) {
        log.error(Message("daemon.cannot_power_off", {{"device", device}}));
        return;
    }
    sync_within(sync_deadline);
    quiesce::KernelJournal journal(root);
    log.error(handover::SystemRestarter(root, journal, OnHang::restart).restart().message());
}

}  // namespace

void restart_machine(bool power_off, const Root& root, Log& log) {
    quiesce::RunStateStore store(root);
    if (const std::string device = handover::held_device(store, root); !device.empty()) {
        return restart_past(device, root, power_off, log);
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
