// SPDX-License-Identifier: Apache-2.0
// Whether udev still has work: its queue file, watched by inotify.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <string>

#include "config/base/result.hpp"

namespace stillboot::discover {

/// Watches a directory ("/run/udev") for its file "queue", which udevd keeps for as long as events wait.
class UdevQueue {
public:
    UdevQueue(const boost::asio::any_io_executor& executor, std::string directory);

    /// True where udevd has nothing to do, or does not run.
    [[nodiscard]] bool is_empty() const;
    /// Returns when something in the directory has changed. Throws operation_aborted when closed, and what
    /// inotify reports.
    boost::asio::awaitable<void> changed();
    void close();

private:
    std::string directory_;
    boost::asio::posix::stream_descriptor inotify_;
};

}  // namespace stillboot::discover
