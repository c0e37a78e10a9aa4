// SPDX-License-Identifier: Apache-2.0
// Arming, disarming, and what became of it.
#include "kexec/handover/system_watchdog.hpp"

#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace stillboot::handover {
namespace {

const std::string class_directory = "/sys/class/watchdog/";
constexpr std::string_view software_watchdog = "Software Watchdog";  // drivers/watchdog/softdog.c

/// Of those that hardware stands behind, in the order of their names. By what they call themselves, since many a
/// driver names no parent, and its watchdog then stands among the virtual devices too (i6300esb.c).
std::vector<std::string> hardware_watchdogs(const Root& root) {
    std::vector<std::string> names;
    for (const std::string& name : root.list(class_directory).value_or(std::vector<std::string>())) {
        if (root.read_attribute(class_directory + name + "/identity").value_or("") != software_watchdog) {
            names.push_back(name);
        }
    }
    return names;
}

/// 0 where there is no such number.
int number_in(const Root& root, const std::string& path) {
    const auto text = root.read_attribute(path);
    int number = 0;
    if (text) {
        std::from_chars(text->data(), text->data() + text->size(), number);
    }
    return number;
}

Error cannot_arm(const std::string& name, int error_number) {
    return Error::from_errno(error_number, "handover.watchdog_failed", {{"name", name}});
}

}  // namespace

Result<Watchdog::Armed> SystemWatchdog::arm(std::chrono::seconds timeout) {
    Error failure("handover.watchdog_none");
    for (const std::string& name : hardware_watchdogs(root_)) {
        if (auto started = start(name, timeout)) {
            return armed_;
        } else {
            failure = started.error();
        }
    }
    return failure;
}

Result<void> SystemWatchdog::start(const std::string& name, std::chrono::seconds timeout) {
    auto device = root_.open_file("/dev/" + name, O_WRONLY);
    if (!device) {
        return cannot_arm(name, device.error().error_number());
    }
    device_ = std::move(*device);
    armed_ = Armed();
    armed_.name = name;
    watchdog_info info{};
    int seconds = static_cast<int>(within_bounds(name, timeout).count());
    // One whose timeout cannot be set keeps its own; reading it back tells.
    if (::ioctl(device_.get(), WDIOC_GETSUPPORT, &info) < 0 ||
        ((info.options & WDIOF_SETTIMEOUT) != 0 && ::ioctl(device_.get(), WDIOC_SETTIMEOUT, &seconds) < 0) ||
        ::ioctl(device_.get(), WDIOC_GETTIMEOUT, &seconds) < 0 || ::ioctl(device_.get(), WDIOC_KEEPALIVE, 0) < 0) {
        const int why = errno;
        (void)disarm();
        return cannot_arm(name, why);
    }
    const char* const identity = reinterpret_cast<const char*>(info.identity);
    armed_.identity.assign(identity, ::strnlen(identity, sizeof info.identity));
    armed_.timeout = std::chrono::seconds(seconds);
    armed_.guards = root_.read_attribute("/sys/module/watchdog/parameters/stop_on_reboot").value_or("") == "0";
    return {};
}

// Zero stands for a bound that the driver does not name.
std::chrono::seconds SystemWatchdog::within_bounds(const std::string& name, std::chrono::seconds timeout) const {
    const std::chrono::seconds least(number_in(root_, class_directory + name + "/min_timeout"));
    const std::chrono::seconds most(number_in(root_, class_directory + name + "/max_timeout"));
    timeout = std::max(timeout, least);
    return most.count() > 0 ? std::min(timeout, most) : timeout;
}

Result<void> SystemWatchdog::disarm() {
    if (!device_) {
        return {};
    }
    const ssize_t written = ::write(device_.get(), "V", 1);
    device_.reset();
    // "nowayout" takes the V, and runs on.
    if (written == 1 && !is_running()) {
        return {};
    }
    return Error("handover.watchdog_runs_on",
                 {{"name", armed_.name}, {"seconds", std::int64_t{armed_.timeout.count()}}});
}

bool SystemWatchdog::is_running() const {
    return root_.read_attribute(class_directory + armed_.name + "/state").value_or("") == "active";
}

bool watchdog_fired(const Root& root) {
    for (const std::string& name : hardware_watchdogs(root)) {
        if ((number_in(root, class_directory + name + "/bootstatus") & WDIOF_CARDRESET) != 0) {
            return true;
        }
    }
    return false;
}

}  // namespace stillboot::handover
