// SPDX-License-Identifier: Apache-2.0
// The order of remove: hard edges first, then the device that was bound latest.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/base/message.hpp"
#include "quiesce/inventory.hpp"

namespace stillboot::quiesce {

/// A device to be unbound, as far as order is concerned.
struct OrderNode {
    std::string path;
    std::uint64_t bind_order = 0;
    int tier = 0;
};

struct Ordered {
    std::vector<std::size_t> order;  ///< indices of the nodes, first to be unbound first
    std::vector<Message> notes;      ///< quiesce.cycle_edge_dropped
};

/// Hard edges: descendant before ancestor, consumer before supplier, virtual before physical function, what
/// stands on a block device before what carries it. Among the ready: lower tier, then latest bound, then the
/// greater path. On a cycle one device-link edge in it is dropped and named.
[[nodiscard]] Ordered remove_order(const std::vector<OrderNode>& nodes, const Inventory& inventory);

}  // namespace stillboot::quiesce
