// SPDX-License-Identifier: Apache-2.0
// Which nodes below /dev lead to which device, as it was before anything was unbound.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "quiesce/holders.hpp"

namespace stillboot::quiesce {

/// A driver often takes its nodes away before it waits for those who hold them open, so they are noted beforehand.
class DeviceNodes {
public:
    DeviceNodes() = default;
    /// Reads /sys/dev/char and /sys/dev/block.
    explicit DeviceNodes(const Root& root);

    /// Who holds a node of this device, or of one below it, open now. This process is passed over.
    [[nodiscard]] std::vector<Holder> holders(const Root& root, std::string_view device_path) const;

private:
    std::map<std::string, std::string, std::less<>> device_of_;  // "/dev/snd/controlC0" to its sysfs path
};

}  // namespace stillboot::quiesce
