// SPDX-License-Identifier: Apache-2.0
// Lines for the kernel's log, the persistent log and the console.
#include "quiesce/journal.hpp"

#include <fcntl.h>
#include <poll.h>

#include <string>

#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {
namespace {

constexpr std::size_t max_line_bytes = 900;  // of the 1024 that one /dev/kmsg record holds
constexpr int info_level = 6;
constexpr const char* devkmsg_setting = "/proc/sys/kernel/printk_devkmsg";

UniqueFd open_or_none(const Root& root, std::string_view path, int flags) {
    auto fd = root.open_file(path, flags | O_NOCTTY);
    return fd ? *std::move(fd) : UniqueFd();
}

// Names from outside may hold anything; a line stays one line.
std::string plain(std::string text) {
    for (auto& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            c = '?';
        }
    }
    text.resize(std::min(text.size(), max_line_bytes));
    return text;
}

// A console that takes nothing (flow control, an absent terminal) must not hold us up. @return whether it took it
bool write_patiently(int fd, std::string_view text) {
    constexpr int patience_ms = 1000;
    while (!text.empty()) {
        struct pollfd waiting = {fd, POLLOUT, 0};
        if (::poll(&waiting, 1, patience_ms) <= 0) {
            return false;
        }
        const ssize_t count = ::write(fd, text.data(), text.size());
        if (count < 0 && errno != EINTR && errno != EAGAIN) {
            return false;
        }
        text.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
    }
    return true;
}

// The kernel prints a record to its consoles where their level is above the record's.
bool kernel_log_reaches_console(const Root& root) {
    return parse_number(attribute_or_empty(root, "/proc/sys/kernel/printk"), 10) > info_level;
}

}  // namespace

KernelJournal::KernelJournal(const Root& root)
    : kmsg_(open_or_none(root, "/dev/kmsg", O_WRONLY)), pmsg_(open_or_none(root, "/dev/pmsg0", O_WRONLY)) {
    if (!kmsg_ || !kernel_log_reaches_console(root)) {
        console_ = open_or_none(root, "/dev/console", O_WRONLY | O_NONBLOCK);
    }
}

void KernelJournal::line(const Message& message) {
    const std::string text = "stillboot: " + plain(message.sentence());
    if (kmsg_) {
        (void)write_all(kmsg_.get(), "<" + std::to_string(info_level) + ">" + text + "\n", "/dev/kmsg");
    }
    if (pmsg_) {
        (void)write_all(pmsg_.get(), text + "\n", "/dev/pmsg0");
    }
    if (console_ && !write_patiently(console_.get(), text + "\r\n")) {
        console_.reset();  // it is waited for once, not at every line
    }
}

void KernelJournal::keep(std::string_view line) {
    if (pmsg_) {
        (void)write_all(pmsg_.get(), std::string(line) + "\n", "/dev/pmsg0");
    }
}

Result<std::string> unlimit_kernel_log(const Root& root) {
    auto before = root.read_attribute(devkmsg_setting);
    if (!before) {
        return before;
    }
    if (auto written = root.write_attribute(devkmsg_setting, "on\n"); !written) {
        return written.error();
    }
    return before;
}

}  // namespace stillboot::quiesce
