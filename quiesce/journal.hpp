// SPDX-License-Identifier: Apache-2.0
// A line before each act, where it outlives us: the kernel's log, the console, the persistent log of pstore.
#pragma once

#include <string_view>

#include "config/base/message.hpp"
#include "config/base/root.hpp"
#include "config/base/unique_fd.hpp"

namespace stillboot::quiesce {

class Journal {
public:
    virtual ~Journal() = default;
    /// Written before it returns. A journal that cannot be written stops nothing.
    virtual void line(const Message& message) = 0;
    /// One line for the next kernel alone, where this one has a log that survives it; else nothing.
    virtual void keep(std::string_view line) = 0;
};

/// To /dev/kmsg as "stillboot: SENTENCE"; to /dev/pmsg0 where there is one; and to /dev/console where the
/// kernel's own log does not reach it already (a quiet command line).
class KernelJournal final : public Journal {
public:
    explicit KernelJournal(const Root& root);
    void line(const Message& message) override;
    void keep(std::string_view line) override;

private:
    UniqueFd kmsg_;
    UniqueFd pmsg_;
    UniqueFd console_;
};

/// Switches kernel.printk_devkmsg on, so that no line is dropped by its rate limit (10 in 5 s for each
/// descriptor otherwise). @return what it was, for the undo.
Result<std::string> unlimit_kernel_log(const Root& root);

}  // namespace stillboot::quiesce
