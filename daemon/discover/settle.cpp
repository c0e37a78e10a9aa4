// SPDX-License-Identifier: Apache-2.0
// udev's queue by inotify.
#include "daemon/discover/settle.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace stillboot::discover {

UdevQueue::UdevQueue(const boost::asio::any_io_executor& executor, std::string directory)
    : directory_(std::move(directory)), inotify_(executor) {
    const int fd = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd >= 0) {
        boost::system::error_code ignored;
        inotify_.assign(fd, ignored);
        ::inotify_add_watch(fd, directory_.c_str(), IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM);
    }
}

bool UdevQueue::is_empty() const {
    return ::access((directory_ + "/queue").c_str(), F_OK) != 0;
}

boost::asio::awaitable<void> UdevQueue::changed() {
    std::array<char, 4096> events;
    co_await inotify_.async_read_some(boost::asio::buffer(events), boost::asio::use_awaitable);
}

void UdevQueue::close() {
    boost::system::error_code ignored;
    inotify_.close(ignored);
}

}  // namespace stillboot::discover
