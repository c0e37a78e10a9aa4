// SPDX-License-Identifier: Apache-2.0
// /dev/kmsg and the console log level.
#include "ui/menu/kernel_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>

#include "config/base/unique_fd.hpp"

namespace stillboot::menu {
namespace asio = boost::asio;
namespace {

// Messages come in groups; and a kernel that says something all the time must not have us do nothing but draw.
constexpr std::chrono::milliseconds together{500};

// The first number of the file; the kernel's own default where it cannot be read.
int console_level() {
    std::array<char, 32> text{};
    const UniqueFd file(::open("/proc/sys/kernel/printk", O_RDONLY | O_CLOEXEC));
    const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : 0;
    int level = 7;
    std::from_chars(text.data(), text.data() + (size < 0 ? 0 : size), level);
    return level;
}

}  // namespace

bool is_shown_on_consoles(std::string_view record, int console_level) {
    unsigned priority = 0;
    const auto parsed = std::from_chars(record.data(), record.data() + record.size(), priority);
    constexpr unsigned severity = 7;  // the other bits are the facility
    return parsed.ec == std::errc() && static_cast<int>(priority & severity) < console_level;
}

KernelLog::KernelLog(const asio::any_io_executor& executor) : log_(executor) {
    const int fd = ::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0) {
        ::lseek(fd, 0, SEEK_END);
        boost::system::error_code ignored;
        log_.assign(fd, ignored);
    }
}

// Whether any of what is there now is shown on consoles.
bool KernelLog::read_all() {
    const int level = console_level();
    std::array<char, 8192> record{};
    bool shown = false;
    for (;;) {
        const ssize_t size = ::read(log_.native_handle(), record.data(), record.size());
        if (size > 0) {
            shown = is_shown_on_consoles({record.data(), static_cast<std::size_t>(size)}, level) || shown;
        } else if (size == 0 || errno != EPIPE) {  // EPIPE: some were overwritten before we read them
            return shown;
        }
    }
}

asio::awaitable<void> KernelLog::written_to_consoles() {
    asio::steady_timer timer(log_.get_executor());
    boost::system::error_code failed;
    while (log_.is_open()) {
        co_await log_.async_wait(asio::posix::stream_descriptor::wait_read,
                                 asio::redirect_error(asio::use_awaitable, failed));
        timer.expires_after(together);
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, failed));
        if (read_all()) {
            co_return;
        }
    }
    timer.expires_at(asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, failed));
}

}  // namespace stillboot::menu
