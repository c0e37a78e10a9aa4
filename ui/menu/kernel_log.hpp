// SPDX-License-Identifier: Apache-2.0
// What the kernel writes to its consoles, over a menu that stands there.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <string_view>

namespace stillboot::menu {

/// Whether a record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg: "PRIORITY,SEQUENCE,…") is shown on consoles
/// at this console log level: only what is more severe is.
[[nodiscard]] bool is_shown_on_consoles(std::string_view record, int console_level);

/// The kernel's log from now on.
class KernelLog {
public:
    explicit KernelLog(const boost::asio::any_io_executor& executor);
    /// Returns when the consoles were written to, once for all that came together; never where the log cannot be
    /// read (by who is not root, for instance).
    boost::asio::awaitable<void> written_to_consoles();

private:
    bool read_all();

    boost::asio::posix::stream_descriptor log_;
};

}  // namespace stillboot::menu
