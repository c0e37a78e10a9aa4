// SPDX-License-Identifier: Apache-2.0
// The last attempts as clients see them.
#pragma once

#include <vector>

#include "daemon/protocol/types.hpp"
#include "daemon/registry/registry.hpp"
#include "kexec/handover/past_attempts.hpp"

namespace stillboot {

/// With what the entries' names tell since: the newest jump to an entry that counted its tries then and does not
/// now was good.
[[nodiscard]] std::vector<protocol::Attempt> attempts_as_known(const handover::PastAttempts& attempts,
                                                               const registry::Registry& registry);

}  // namespace stillboot
