// SPDX-License-Identifier: Apache-2.0
// A user's mistakes: unbinding where no device may be touched, and what the user sits on.
#pragma once

#include <string>
#include <vector>

#include "config/base/result.hpp"
#include "quiesce/plan.hpp"

namespace stillboot::quiesce {

/// An address of this machine as inet_ntop(3) writes it, and the interface that has it.
struct LocalAddress {
    std::string address;
    std::string interface;
};

/// By getifaddrs(3).
[[nodiscard]] std::vector<LocalAddress> local_addresses();

/// Who asks, and through what.
struct Caller {
    /// This machine's address of each ssh session on the way to here ("192.0.2.1", "fe80::1%eth0"), nearest first.
    std::vector<std::string> ssh_addresses;
    /// sysfs paths of the controlling terminals on the way to here; those without a device (a pseudo terminal,
    /// whose other end a program holds) are left out.
    std::vector<std::string> terminals;

    bool operator==(const Caller&) const = default;
};

/// Reads /proc/PID/stat and environ of a process and of its ancestors: sudo empties the environment and gives a
/// terminal of its own, but its parents have theirs. @param pid "self" for this process.
[[nodiscard]] Caller read_caller(const Root& root, const std::string& pid = "self");

/// Whether devices can be unbound here at all. @error quiesce.in_container (what), quiesce.no_sysfs,
/// quiesce.sysfs_read_only. Source: systemd's CONTAINER_INTERFACE (PID 1's `container=`).
[[nodiscard]] Result<void> may_unbind_here(const Root& root);

/// Whether this kernel lets a driver be unbound at all. @error quiesce.no_unbind_files
[[nodiscard]] Result<void> kernel_can_unbind(const Inventory& inventory);

/// What the user would lose by this plan: quiesce.cut_off_ssh, quiesce.cut_off_terminal, quiesce.cut_off_screen,
/// quiesce.cut_off_keyboard. Empty where nothing is lost, as far as can be known: of a session that comes through
/// something else (a tunnel), the interface of the default route is taken.
[[nodiscard]] std::vector<Message> cut_offs(const Root& root, const Plan& plan, const Caller& caller,
                                            const std::vector<LocalAddress>& addresses);

}  // namespace stillboot::quiesce
