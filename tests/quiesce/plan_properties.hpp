// SPDX-License-Identifier: Apache-2.0
// What holds of every plan, whatever the machine: looked up from the inventory by other means than the planner's.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "quiesce/plan.hpp"

namespace stillboot::quiesce::test {

/// One line for each thing that does not hold.
class PlanProperties {
public:
    PlanProperties(const Inventory& inventory, const Plan& plan) : inventory_(inventory), plan_(plan) {}

    std::vector<std::string> broken() {
        index_steps();
        every_device_once();
        waits_lead_back();
        edges_hold();
        keep_means_untouched();
        dropped_edges_are_links_in_a_circle();
        users_refuse();
        return std::move(broken_);
    }

private:
    using Places = std::vector<bool>;

    void say(const std::string& what) { broken_.push_back(what); }

    void index_steps() {
        for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
            if (plan_.steps[i].action == StepAction::unbind) {
                unbind_of_[plan_.steps[i].path] = i;
            }
        }
        // The set of all that ends before a step begins.
        for (const auto& step : plan_.steps) {
            Places before(plan_.steps.size(), false);
            for (const std::size_t i : step.waits_for) {
                if (i < before_.size()) {
                    before[i] = true;
                    for (std::size_t k = 0; k < before.size(); ++k) {
                        before[k] = before[k] || before_[i][k];
                    }
                }
            }
            before_.push_back(std::move(before));
        }
    }

    void every_device_once() {
        std::map<std::string, int> seen;
        for (const auto& step : plan_.steps) {
            seen[step.path] += step.action == StepAction::unbind ? 1 : 0;
        }
        for (const auto& kept : plan_.kept) {
            seen[kept.path] += 1;
        }
        for (const auto& [path, device] : inventory_.devices) {
            const int wanted = device.bound() ? 1 : 0;
            if (seen[path] != wanted) {
                say(path + " appears " + std::to_string(seen[path]) + " times");
            }
        }
        for (const auto& [path, count] : seen) {
            if (!inventory_.devices.contains(path)) {
                say(path + " is in no inventory");
            }
        }
    }

    // The order is one in which it can be done one by one, and no earlier stage waits for a later one.
    void waits_lead_back() {
        for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
            const auto& step = plan_.steps[i];
            if (i > 0 && step.stage < plan_.steps[i - 1].stage) {
                say("the stage falls at " + step.path);
            }
            for (const std::size_t before : step.waits_for) {
                if (before >= i) {
                    say(step.path + " waits for a later one");
                } else if (plan_.steps[before].stage > step.stage) {
                    say(step.path + " waits for a later stage");
                }
            }
        }
    }

    [[nodiscard]] std::string step_at_or_above(std::string path) const {
        for (; path.size() > 1; path.resize(path.rfind('/'))) {
            if (unbind_of_.contains(path)) {
                return path;
            }
        }
        return {};
    }

    [[nodiscard]] bool waits(const std::string& after, const std::string& before) const {
        return before_[unbind_of_.at(after)][unbind_of_.at(before)];
    }

    [[nodiscard]] bool was_dropped(const std::string& consumer, const std::string& supplier) const {
        return std::any_of(plan_.notes.begin(), plan_.notes.end(), [&](const Message& note) {
            return note.code() == "quiesce.cycle_edge_dropped" && note.param("consumer") == consumer &&
                   note.param("supplier") == supplier;
        });
    }

    void edges_hold() {
        for (const auto& [path, place] : unbind_of_) {
            for (std::string above = path; above.size() > 1;) {
                above.resize(above.rfind('/'));
                if (unbind_of_.contains(above) && !waits(above, path)) {
                    say(above + " does not wait for " + path + " below it");
                }
            }
            const std::string& physical = inventory_.devices.find(path)->second.physical_function;
            if (unbind_of_.contains(physical) && !waits(physical, path)) {
                say(physical + " does not wait for its virtual function " + path);
            }
            if (inventory_.devices.find(path)->second.virtual_functions > 0) {
                functions_go_off(path, place);
            }
        }
        for (const auto& [consumer, supplier] : device_links()) {
            if (!waits(supplier, consumer) && !was_dropped(consumer, supplier)) {
                say(supplier + " does not wait for its consumer " + consumer);
            }
        }
        for (const auto& [upper, lower] : inventory_.stacked) {
            const std::string before = step_at_or_above(upper);
            const std::string after = step_at_or_above(lower);
            if (!before.empty() && !after.empty() && before != after && !waits(after, before)) {
                say(after + " does not wait for what is stacked on it, " + before);
            }
        }
    }

    void functions_go_off(const std::string& path, std::size_t place) {
        const auto& waits_for = plan_.steps[place].waits_for;
        const bool off = std::any_of(waits_for.begin(), waits_for.end(), [&](std::size_t i) {
            return plan_.steps[i].action == StepAction::sriov_off && plan_.steps[i].path == path;
        });
        if (!off) {
            say(path + " goes with its virtual functions on");
        }
    }

    /// Pairs of steps: a consumer that is bound (or what it goes with), and its supplier (or what that goes with).
    [[nodiscard]] std::set<std::pair<std::string, std::string>> device_links() const {
        std::set<std::pair<std::string, std::string>> links;
        for (const auto& [path, device] : inventory_.devices) {
            for (const auto& supplier : device.suppliers) {
                const std::string before = device.bound() ? step_at_or_above(path) : "";
                const std::string after = step_at_or_above(supplier);
                if (!before.empty() && !after.empty() && before != after) {
                    links.emplace(before, after);
                }
            }
        }
        return links;
    }

    // Kept, and with it all that it stands on: ancestors, and their suppliers and physical functions. What is
    // bound of those is kept itself, and looked at in its turn.
    void keep_means_untouched() {
        for (const auto& kept : plan_.kept) {
            if (kept.follows) {
                continue;
            }
            for (std::string at = kept.path; at.size() > 1; at.resize(at.rfind('/'))) {
                stays(at, kept.path);
                const auto device = inventory_.devices.find(at);
                if (device == inventory_.devices.end()) {
                    continue;
                }
                chain_stays(device->second.physical_function, kept.path);
                for (const auto& supplier : device->second.suppliers) {
                    chain_stays(supplier, kept.path);
                }
            }
        }
    }

    void chain_stays(std::string path, const std::string& sake) {
        for (; path.size() > 1; path.resize(path.rfind('/'))) {
            stays(path, sake);
        }
    }

    void stays(const std::string& path, const std::string& sake) {
        const auto device = inventory_.devices.find(path);
        const Kept* kept = plan_.kept_at(path);
        if (device != inventory_.devices.end() && device->second.bound() && (kept == nullptr || kept->follows)) {
            say(path + " may go, and the kept " + sake + " stands on it");
        }
    }

    // The only edges that may be lost, and only where one leads back.
    void dropped_edges_are_links_in_a_circle() {
        const auto links = device_links();
        for (const auto& note : plan_.notes) {
            if (note.code() != "quiesce.cycle_edge_dropped") {
                continue;
            }
            const std::string consumer(note.param("consumer"));
            const std::string supplier(note.param("supplier"));
            if (!links.contains({consumer, supplier})) {
                say("what was dropped is no device link: " + consumer + " of " + supplier);
            } else if (!leads(links, supplier, consumer)) {
                say("what was dropped lies in no circle: " + consumer + " of " + supplier);
            }
        }
    }

    // Whether `from` must go before `to`, by links and tree.
    [[nodiscard]] bool leads(const std::set<std::pair<std::string, std::string>>& links, const std::string& from,
                             const std::string& to) const {
        std::set<std::string> seen;
        std::vector<std::string> open = {from};
        while (!open.empty()) {
            const std::string at = open.back();
            open.pop_back();
            if (at == to) {
                return true;
            }
            if (!seen.insert(at).second) {
                continue;
            }
            for (auto link = links.lower_bound({at, ""}); link != links.end() && link->first == at; ++link) {
                open.push_back(link->second);
            }
            if (const std::string above = step_at_or_above(at.substr(0, at.rfind('/'))); !above.empty()) {
                open.push_back(above);
            }
            const auto& physical = inventory_.devices.find(at)->second.physical_function;
            if (unbind_of_.contains(physical)) {
                open.push_back(physical);
            }
            for (const auto& [upper, lower] : inventory_.stacked) {
                if (step_at_or_above(upper) == at && !step_at_or_above(lower).empty()) {
                    open.push_back(step_at_or_above(lower));
                }
            }
        }
        return false;
    }

    void users_refuse() {
        for (const auto& user : inventory_.users) {
            const bool taken = std::any_of(user.needs.begin(), user.needs.end(), [&](const std::string& path) {
                return !step_at_or_above(path).empty();
            });
            const bool refused =
                std::any_of(plan_.refusals.begin(), plan_.refusals.end(), [&](const Message& refusal) {
                    return refusal.code() == user.what.code() &&
                           std::equal(user.what.params().begin(), user.what.params().end(),
                                      refusal.params().begin());
                });
            if (taken && !refused) {
                say("nothing refuses for " + user.what.sentence());
            }
        }
    }

    const Inventory& inventory_;
    const Plan& plan_;
    std::unordered_map<std::string, std::size_t> unbind_of_;
    std::vector<Places> before_;
    std::vector<std::string> broken_;
};

}  // namespace stillboot::quiesce::test
