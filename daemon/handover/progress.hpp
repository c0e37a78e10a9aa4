// SPDX-License-Identifier: Apache-2.0
// What clients see of a hand-over under way.
#pragma once

#include "daemon/protocol/types.hpp"
#include "kexec/handover/handover.hpp"

namespace stillboot::handover {

/// An event of a hand-over as a message of the protocol. @param option the id of what is booted, or empty
[[nodiscard]] protocol::Progress progress_of(const Event& event, std::string option);

}  // namespace stillboot::handover
