// SPDX-License-Identifier: Apache-2.0
// The last ways to restart a machine.
#include "kexec/handover/system_restarter.hpp"

#include <chrono>
#include <thread>

#include "kexec/handover/power_cycle.hpp"

namespace stillboot::handover {
namespace {

constexpr std::chrono::seconds power_goes_within{30};
constexpr std::chrono::seconds watchdog_bites_after{5};  // and no sooner than it can
constexpr std::chrono::seconds words_reach_console_within{1};
constexpr std::chrono::seconds restart_within{5};

}  // namespace

Error SystemRestarter::restart() {
    if (how_ == OnHang::power_cycle) {
        wait_for_power_cycle();
    } else if (how_ == OnHang::watchdog) {
        wait_for_watchdog();
    }
    // It waits for nobody: what was said last is still on its way down a serial line.
    std::this_thread::sleep_for(words_reach_console_within);
    auto written = root_.write_attribute("/proc/sysrq-trigger", "b");
    if (written) {
        std::this_thread::sleep_for(restart_within);
    }
    return Error::from_errno(written ? ETIMEDOUT : written.error().error_number(), "handover.restart_failed");
}

void SystemRestarter::wait_for_power_cycle() {
    if (auto asked = cycle_power(root_); !asked) {
        journal_.line(asked.error().message());
        return;
    }
    std::this_thread::sleep_for(power_goes_within);
}

void SystemRestarter::wait_for_watchdog() {
    const auto armed = watchdog_.arm(watchdog_bites_after);
    if (!armed) {
        journal_.line(armed.error().message());
        return;
    }
    std::this_thread::sleep_for(armed->timeout + power_goes_within);
}

}  // namespace stillboot::handover
