// SPDX-License-Identifier: Apache-2.0
// The end of this system.
#include "daemon/main/restart.hpp"

#include <sys/reboot.h>
#include <unistd.h>

#include "config/base/process.hpp"

namespace stillboot {

void restart_machine(bool power_off, Log& log) {
    log.info(Message(power_off ? "daemon.powering_off" : "daemon.restarting"));
    if (::access("/run/systemd/system", F_OK) == 0) {
        SystemProcessRunner runner;
        const auto outcome = runner.run({{"systemctl", "--no-block", power_off ? "poweroff" : "reboot"}});
        if (outcome && outcome->ok()) {
            return;
        }
    }
    ::sync();
    ::reboot(power_off ? RB_POWER_OFF : RB_AUTOBOOT);
    log.error(Message("daemon.restart_failed", {{"errno", errno_words(errno)}}));
}

}  // namespace stillboot
