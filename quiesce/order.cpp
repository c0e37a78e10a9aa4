// SPDX-License-Identifier: Apache-2.0
// A topological sort that can lose an edge.
#include "quiesce/order.hpp"

#include <algorithm>
#include <map>
#include <queue>
#include <string_view>
#include <tuple>
#include <unordered_map>

namespace stillboot::quiesce {
namespace {

enum class EdgeKind { structure, device_link };

class Sorter {
public:
    Sorter(const std::vector<OrderNode>& nodes, const Inventory& inventory)
        : nodes_(nodes),
          blockers_(nodes.size()),
          followers_(nodes.size()),
          open_blockers_(nodes.size()),
          stage_(nodes.size()),
          place_(nodes.size()),
          gone_(nodes.size(), false) {
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            index_.emplace(nodes[i].path, i);
        }
        add_tree_edges(inventory);
        add_device_links(inventory);
        for (const auto& [upper, lower] : inventory.stacked) {
            add_edge(node_at_or_above(upper), node_at_or_above(lower), EdgeKind::structure);
        }
    }

    Ordered run() {
        break_circles();
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            stage_[i] = nodes_[i].stage;
            open_blockers_[i] = blockers_[i].size();
            offer(i);
        }
        while (!ready_.empty()) {
            const std::size_t next = std::get<3>(ready_.top());
            ready_.pop();
            take(next);
        }
        return std::move(result_);
    }

private:
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
    // Greatest first: the lowest stage, the latest bound, the greater path.
    using Key = std::tuple<int, std::uint64_t, std::string_view, std::size_t>;

    void add_edge(std::size_t before, std::size_t after, EdgeKind kind) {
        if (before == after || before == nowhere || after == nowhere) {
            return;
        }
        const auto [place, added] = blockers_[after].emplace(before, kind);
        if (added) {
            followers_[before].push_back(after);
        } else if (kind == EdgeKind::structure) {
            place->second = kind;  // the tree already demands it: not one to drop
        }
    }

    [[nodiscard]] std::size_t node_at(std::string_view path) const {
        const auto found = index_.find(path);
        return found == index_.end() ? nowhere : found->second;
    }

    // A device without a step of its own goes with the nearest one above that has one.
    [[nodiscard]] std::size_t node_at_or_above(std::string_view path) const {
        for (; path.size() > 1; path = path.substr(0, path.rfind('/'))) {
            if (const std::size_t found = node_at(path); found != nowhere) {
                return found;
            }
        }
        return nowhere;
    }

    // To the nearest ancestor with a step: that one waits for its own.
    void add_tree_edges(const Inventory& inventory) {
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            const std::string_view path = nodes_[i].path;
            add_edge(i, node_at_or_above(path.substr(0, path.rfind('/'))), EdgeKind::structure);
            const auto device = inventory.devices.find(path);
            if (device != inventory.devices.end()) {
                add_edge(i, node_at(device->second.physical_function), EdgeKind::structure);
            }
        }
    }

    void add_device_links(const Inventory& inventory) {
        for (const auto& [path, device] : inventory.devices) {
            if (!device.bound()) {
                continue;  // consumes nothing yet
            }
            for (const auto& supplier : device.suppliers) {
                add_edge(node_at_or_above(path), node_at_or_above(supplier), EdgeKind::device_link);
            }
        }
    }

    [[nodiscard]] Key key_of(std::size_t i) const {
        return {-nodes_[i].stage, nodes_[i].bind_order, nodes_[i].path, i};
    }

    void offer(std::size_t i) {
        if (open_blockers_[i] == 0) {
            ready_.push(key_of(i));
        }
    }

    void take(std::size_t node) {
        Ranked rank;
        rank.node = node;
        rank.stage = stage_[node];
        for (const auto& [before, kind] : blockers_[node]) {
            rank.waits_for.push_back(place_[before]);
        }
        std::sort(rank.waits_for.begin(), rank.waits_for.end());
        place_[node] = result_.ranks.size();
        result_.ranks.push_back(std::move(rank));
        for (const std::size_t after : followers_[node]) {
            stage_[after] = std::max(stage_[after], stage_[node]);
            --open_blockers_[after];
            offer(after);
        }
    }

    // Before the stages are looked at: otherwise what waits in a circle would come after a later stage.
    void break_circles() {
        std::vector<std::size_t> waits(nodes_.size());
        std::vector<std::size_t> ready;
        const auto offer_if_free = [&](std::size_t i) {
            if (waits[i] == 0) {
                ready.push_back(i);
            }
        };
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            waits[i] = blockers_[i].size();
            offer_if_free(i);
        }
        for (std::size_t left = nodes_.size(); left > 0;) {
            if (ready.empty()) {
                const std::size_t freed = drop_an_edge();
                --waits[freed];
                offer_if_free(freed);
                continue;
            }
            const std::size_t node = ready.back();
            ready.pop_back();
            gone_[node] = true;
            --left;
            for (const std::size_t after : followers_[node]) {
                --waits[after];
                offer_if_free(after);
            }
        }
    }

    // Of what a node that is left still waits for: one of those that are left.
    [[nodiscard]] std::map<std::size_t, EdgeKind>::const_iterator open_blocker(std::size_t node) const {
        return std::find_if(blockers_[node].begin(), blockers_[node].end(),
                            [this](const auto& edge) { return !gone_[edge.first]; });
    }

    // Every node that is left waits for another one, so walking from blocker to blocker ends in a cycle.
    [[nodiscard]] std::vector<std::size_t> find_cycle() const {
        const auto open = std::find(gone_.begin(), gone_.end(), false);
        std::vector<std::size_t> walk = {static_cast<std::size_t>(open - gone_.begin())};
        std::vector<bool> seen(nodes_.size(), false);
        while (!seen[walk.back()]) {
            seen[walk.back()] = true;
            walk.push_back(open_blocker(walk.back())->first);
        }
        return {std::find(walk.begin(), walk.end(), walk.back()), walk.end() - 1};
    }

    /// @return the supplier, which has one thing less to wait for.
    std::size_t drop_an_edge() {
        const auto cycle = find_cycle();
        // The edge to lose: a device link, whose supplier was bound latest. Without one (the tree itself
        // contradicts a stack) the first edge goes, so that the sort ends.
        std::size_t supplier = cycle.front();
        std::size_t consumer = open_blocker(supplier)->first;
        bool found = false;
        for (const std::size_t after : cycle) {
            const auto edge = open_blocker(after);
            if (edge->second == EdgeKind::device_link && (!found || key_of(supplier) < key_of(after))) {
                std::tie(supplier, consumer, found) = std::make_tuple(after, edge->first, true);
            }
        }
        blockers_[supplier].erase(consumer);
        std::erase(followers_[consumer], supplier);
        result_.notes.emplace_back("quiesce.cycle_edge_dropped",
                                   std::initializer_list<Message::Param>{{"consumer", nodes_[consumer].path},
                                                                         {"supplier", nodes_[supplier].path}});
        return supplier;
    }

    const std::vector<OrderNode>& nodes_;
    std::unordered_map<std::string_view, std::size_t> index_;
    std::vector<std::map<std::size_t, EdgeKind>> blockers_;  // for each node, who goes before it
    std::vector<std::vector<std::size_t>> followers_;        // and who after it
    std::vector<std::size_t> open_blockers_;
    std::vector<int> stage_;
    std::vector<std::size_t> place_;  // in the result
    std::vector<bool> gone_;          // while circles are looked for
    std::priority_queue<Key> ready_;
    Ordered result_;
};

}  // namespace

Ordered remove_order(const std::vector<OrderNode>& nodes, const Inventory& inventory) {
    return Sorter(nodes, inventory).run();
}

}  // namespace stillboot::quiesce
