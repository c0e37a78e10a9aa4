// SPDX-License-Identifier: Apache-2.0
// The order of remove as a graph: hard edges, and among what is ready the device that was bound latest.
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
    int stage = 0;  ///< lower stages go first as far as the hard edges allow
};

/// A node's place in the order.
struct Ranked {
    std::size_t node = 0;                ///< index of the node
    int stage = 0;                       ///< its own, or a later one of what it waits for
    std::vector<std::size_t> waits_for;  ///< places in Ordered::ranks of what ends before it begins
};

struct Ordered {
    std::vector<Ranked> ranks;   ///< one order in which everything could go; stages never decrease
    std::vector<Message> notes;  ///< quiesce.cycle_edge_dropped
};

/// Hard edges: descendant before ancestor, consumer before supplier, virtual before physical function, what
/// stands on a block device before what carries it. Among the ready: lower stage, then latest bound, then the
/// greater path. On a cycle one device-link edge in it is dropped and named. Time: n log n in nodes and edges,
/// once more for each cycle.
[[nodiscard]] Ordered remove_order(const std::vector<OrderNode>& nodes, const Inventory& inventory);

}  // namespace stillboot::quiesce
