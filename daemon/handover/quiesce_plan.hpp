// SPDX-License-Identifier: Apache-2.0
// A plan of the room `quiesce` as clients see it, and back.
#pragma once

#include "daemon/protocol/types.hpp"
#include "quiesce/plan.hpp"

namespace stillboot::handover {

[[nodiscard]] protocol::QuiescePlan to_protocol(const quiesce::Plan& plan);

/// As far as a client can see: enough to print it. An action of a newer daemon is taken for an unbind.
[[nodiscard]] quiesce::Plan from_protocol(protocol::QuiescePlan plan);

}  // namespace stillboot::handover
