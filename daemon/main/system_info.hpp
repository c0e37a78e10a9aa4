// SPDX-License-Identifier: Apache-2.0
// What the machine says of itself, for people.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/base/root.hpp"
#include "daemon/protocol/types.hpp"

namespace stillboot {

/// By the name of the interface, each with the length of its prefix.
using Addresses = std::map<std::string, std::vector<std::string>>;

/// As the kernel has them now (getifaddrs(3)).
[[nodiscard]] Addresses addresses_of_interfaces();

/// From /sys and /proc: DMI (drivers/firmware/dmi-id.c) or the device tree, /proc/cpuinfo, /proc/meminfo and
/// /sys/class/net, less the loopback. What cannot be read is left empty. The state store and the version are the
/// caller's to fill.
[[nodiscard]] protocol::System read_system(const Root& root, const Addresses& addresses);

}  // namespace stillboot
