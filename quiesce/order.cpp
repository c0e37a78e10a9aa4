// SPDX-License-Identifier: Apache-2.0
// A topological sort that can lose an edge.
#include "quiesce/order.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace stillboot::quiesce {
namespace {

enum class EdgeKind { structure, device_link };

class Sorter {
public:
    Sorter(const std::vector<OrderNode>& nodes, const Inventory& inventory)
        : nodes_(nodes), inventory_(inventory), blockers_(nodes.size()), done_(nodes.size(), false) {
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            index_[nodes[i].path] = i;
        }
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            add_edges_of(i);
        }
        add_stack_edges();
    }

    Ordered run() {
        Ordered result;
        while (result.order.size() < nodes_.size()) {
            const auto next = latest_ready();
            if (next == nodes_.size()) {
                drop_an_edge(result.notes);
                continue;
            }
            done_[next] = true;
            for (auto& blockers : blockers_) {
                blockers.erase(next);
            }
            result.order.push_back(next);
        }
        return result;
    }

private:
    void add_edge(std::size_t before, std::size_t after, EdgeKind kind) {
        if (before != after) {
            const auto [place, added] = blockers_[after].emplace(before, kind);
            if (!added && kind == EdgeKind::structure) {
                place->second = kind;  // the tree already demands it: not one to drop
            }
        }
    }

    // The node at a path or the nearest one above: a consumer without a driver goes with its parent.
    std::size_t node_at_or_above(std::string_view path) const {
        while (path.size() > 1) {
            if (const auto found = index_.find(path); found != index_.end()) {
                return found->second;
            }
            path = path.substr(0, path.rfind('/'));
        }
        return nodes_.size();
    }

    void add_edges_of(std::size_t i) {
        const std::string_view path = nodes_[i].path;
        for (auto above = path.substr(0, path.rfind('/')); above.size() > 1;
             above = above.substr(0, above.rfind('/'))) {
            if (const auto found = index_.find(above); found != index_.end()) {
                add_edge(i, found->second, EdgeKind::structure);
            }
        }
        const auto device = inventory_.devices.find(path);
        if (device == inventory_.devices.end()) {
            return;
        }
        if (const auto physical = index_.find(device->second.physical_function); physical != index_.end()) {
            add_edge(i, physical->second, EdgeKind::structure);
        }
        for (const auto& supplier : device->second.suppliers) {
            if (const auto found = index_.find(supplier); found != index_.end()) {
                add_edge(i, found->second, EdgeKind::device_link);
            }
        }
    }

    void add_stack_edges() {
        for (const auto& [upper, lower] : inventory_.stacked) {
            const auto before = node_at_or_above(upper);
            const auto after = node_at_or_above(lower);
            if (before != nodes_.size() && after != nodes_.size()) {
                add_edge(before, after, EdgeKind::structure);
            }
        }
    }

    bool goes_before(std::size_t a, std::size_t b) const {
        const auto key = [&](std::size_t i) {
            return std::make_tuple(-nodes_[i].tier, nodes_[i].bind_order, std::string_view(nodes_[i].path));
        };
        return key(a) > key(b);
    }

    std::size_t latest_ready() const {
        std::size_t best = nodes_.size();
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (!done_[i] && blockers_[i].empty() && (best == nodes_.size() || goes_before(i, best))) {
                best = i;
            }
        }
        return best;
    }

    // Every node that is left waits for another one, so walking from blocker to blocker ends in a cycle.
    std::vector<std::size_t> find_cycle() const {
        const auto open = std::find(done_.begin(), done_.end(), false);
        std::vector<std::size_t> walk = {static_cast<std::size_t>(open - done_.begin())};
        for (;;) {
            const std::size_t next = blockers_[walk.back()].begin()->first;
            const auto seen = std::find(walk.begin(), walk.end(), next);
            if (seen != walk.end()) {
                return {seen, walk.end()};
            }
            walk.push_back(next);
        }
    }

    void drop_an_edge(std::vector<Message>& notes) {
        const auto cycle = find_cycle();
        // The edge to lose: a device link, whose supplier was bound latest. Without one (the tree itself
        // contradicts a stack) the first edge goes, so that the sort ends.
        std::size_t supplier = cycle.front();
        std::size_t consumer = blockers_[supplier].begin()->first;
        bool found = false;
        for (const std::size_t after : cycle) {
            const auto& [before, kind] = *blockers_[after].begin();
            if (kind == EdgeKind::device_link && (!found || goes_before(after, supplier))) {
                std::tie(supplier, consumer, found) = std::make_tuple(after, before, true);
            }
        }
        blockers_[supplier].erase(consumer);
        notes.emplace_back("quiesce.cycle_edge_dropped",
                           std::initializer_list<Message::Param>{{"consumer", nodes_[consumer].path},
                                                                 {"supplier", nodes_[supplier].path}});
    }

    const std::vector<OrderNode>& nodes_;
    const Inventory& inventory_;
    std::map<std::string, std::size_t, std::less<>> index_;
    std::vector<std::map<std::size_t, EdgeKind>> blockers_;  // for each node, who goes before it
    std::vector<bool> done_;
};

}  // namespace

Ordered remove_order(const std::vector<OrderNode>& nodes, const Inventory& inventory) {
    return Sorter(nodes, inventory).run();
}

}  // namespace stillboot::quiesce
