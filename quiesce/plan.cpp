// SPDX-License-Identifier: Apache-2.0
// Decides, closes what is kept over ancestors and suppliers, orders the rest, and looks who stands in the way.
#include "quiesce/plan.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "quiesce/order.hpp"
#include "quiesce/reset.hpp"
#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {
namespace {

constexpr std::chrono::seconds sriov_deadline{60};

class Planner {
public:
    Planner(const Inventory& inventory, const Policy& policy) : inventory_(inventory), policy_(policy) {}

    Plan run() {
        decide_all();
        keep_unanswering(policy_.silent, "quiesce.keep_silent");
        keep_unanswering(policy_.hung, "quiesce.keep_hung");  // the reason that says more stands
        keep_what_is_in_use();
        close_keep();
        put_state_store_last();
        order_steps();
        list_kept();
        keep_driverless();
        note_names_of_nothing();
        find_refusals();
        plan_.hands_off = policy_.mode == QuiesceMode::off;
        for (const auto& [bus, text] : inventory_.autoprobe) {
            plan_.autoprobe_off.push_back(bus);
        }
        return std::move(plan_);
    }

private:
    struct Judged {
        const Device* device = nullptr;
        Decision decision;
        std::string for_sake_of;
    };

    void decide_all() {
        for (const auto& [path, device] : inventory_.devices) {
            if (device.bound()) {
                judged_[path] = {&device, decide(device, inventory_, policy_), {}};
            }
        }
    }

    // Paths of a sysfs path or of a /dev node with everything it stands on.
    std::vector<std::string> chain_of(const std::string& name) const {
        if (name.starts_with("/sys/")) {
            for (const auto& [block_name, block] : inventory_.blocks) {
                if (block.path == name) {
                    return inventory_.block_chain(block_name);
                }
            }
            return {name};
        }
        const std::string_view last = last_component(name);
        for (const auto& [block_name, block] : inventory_.blocks) {
            if (block_name == last || (!block.dm_name.empty() && block.dm_name == last)) {
                return inventory_.block_chain(block_name);
            }
        }
        return {};
    }

    void keep_unanswering(const std::vector<std::string>& names, std::string_view why) {
        for (const auto& name : names) {
            for (const auto& path : chain_of(name)) {
                if (const Device* device = inventory_.bound_at_or_above(path)) {
                    auto& judged = judged_[device->path];
                    judged.decision.action = Action::keep;
                    judged.decision.reason = Message(why, {{"device", name}});
                    judged.decision.rule.clear();
                }
            }
        }
    }

    void keep_for(const User& user, std::string_view path) {
        const Device* device = inventory_.bound_at_or_above(path);
        if (device != nullptr) {
            auto& decision = judged_[device->path].decision;
            if (decision.action != Action::keep) {
                decision.action = Action::keep;
                decision.reason = user.what.with({"device", device->name}).with({"driver", device->driver});
                decision.rule.clear();
            }
        }
    }

    void keep_what_is_in_use() {
        if (policy_.in_use != InUse::keep) {
            return;
        }
        for (const auto& user : inventory_.users) {
            if (user.passive) {
                continue;
            }
            for (const auto& path : user.needs) {
                keep_for(user, path);
            }
            if (user.needs_network) {
                for (const auto& interface : inventory_.interfaces) {
                    keep_for(user, interface.path);
                }
            }
        }
    }

    void keep_for_sake_of(std::string_view path, const Judged& sake, std::vector<std::string>& open) {
        const auto found = judged_.find(path);
        if (found == judged_.end() || found->second.decision.action == Action::keep) {
            return;
        }
        found->second.decision.action = Action::keep;
        found->second.decision.reason =
            Message("quiesce.keep_for_sake_of", {{"device", sake.device->name}, {"driver", sake.device->driver}});
        found->second.decision.rule = sake.decision.rule;
        found->second.for_sake_of = sake.for_sake_of.empty() ? sake.device->path : sake.for_sake_of;
        open.push_back(std::string(path));
    }

    // Unbinding an ancestor or a supplier takes the kept device away, so those are kept as well; and what has
    // no driver on the way can still have a supplier.
    void close_keep() {
        std::vector<std::string> open;
        for (const auto& [path, judged] : judged_) {
            if (judged.decision.action == Action::keep) {
                open.push_back(path);
            }
        }
        std::unordered_set<std::string_view> closed;   // devices whose ancestors and suppliers are kept already
        std::unordered_set<std::string_view> chained;  // places that are kept up to the root
        while (!open.empty()) {
            const std::string path = std::move(open.back());
            open.pop_back();
            const Judged& sake = judged_.find(path)->second;
            const auto keep_chain = [&](std::string_view at) {
                for (; at.size() > 1 && chained.insert(at).second; at = at.substr(0, at.rfind('/'))) {
                    keep_for_sake_of(at, sake, open);
                }
            };
            for (std::string_view at = path; at.size() > 1; at = at.substr(0, at.rfind('/'))) {
                const auto device = inventory_.devices.find(at);
                if (device == inventory_.devices.end()) {
                    continue;
                }
                if (!closed.insert(device->first).second) {
                    break;
                }
                keep_chain(device->first);
                std::for_each(device->second.suppliers.begin(), device->second.suppliers.end(), keep_chain);
                keep_chain(device->second.physical_function);  // switched off, it takes its functions away
            }
        }
    }

    void put_state_store_last() {
        if (policy_.state_store.empty()) {
            return;
        }
        for (const auto& path : chain_of(policy_.state_store)) {
            for (std::string_view at = path; at.size() > 1; at = at.substr(0, at.rfind('/'))) {
                if (const auto found = judged_.find(at); found != judged_.end()) {
                    found->second.decision.stage = state_store_stage;
                }
            }
        }
    }

    void order_steps() {
        std::vector<OrderNode> nodes;
        for (const auto& [path, judged] : judged_) {
            if (judged.decision.action == Action::unbind) {
                nodes.push_back({path, judged.device->bind_order, judged.decision.stage});
            }
        }
        Ordered ordered = remove_order(nodes, inventory_);
        plan_.notes = std::move(ordered.notes);
        std::vector<std::size_t> step_of;  // the last step of each rank
        for (const Ranked& rank : ordered.ranks) {
            std::vector<std::size_t> waits_for;
            for (const std::size_t before : rank.waits_for) {
                waits_for.push_back(step_of[before]);
            }
            add_steps(judged_.find(nodes[rank.node].path)->second, rank.stage, std::move(waits_for));
            step_of.push_back(plan_.steps.size() - 1);
        }
    }

    void add_steps(const Judged& judged, int stage, std::vector<std::size_t> waits_for) {
        const auto& device = *judged.device;
        PlanStep step;
        step.path = device.path;
        step.name = device.name;
        step.bus = device.bus;
        step.driver = device.driver;
        step.reason = judged.decision.reason;
        step.rule = judged.decision.rule;
        step.deadline = judged.decision.deadline;
        step.stage = stage;
        step.waits_for = std::move(waits_for);
        if (device.virtual_functions > 0) {
            PlanStep off = step;
            off.action = StepAction::sriov_off;
            off.deadline = sriov_deadline;
            off.reason = Message("quiesce.virtual_functions", {{"count", device.virtual_functions}});
            plan_.steps.push_back(std::move(off));
            step.waits_for = {plan_.steps.size() - 1};
        }
        plan_.steps.push_back(std::move(step));
        if (judged.decision.reset) {
            add_reset(device);
        }
    }

    // Behind its unbind; what the device stands on waits for both.
    void add_reset(const Device& device) {
        if (auto why = why_not_reset(device, inventory_)) {
            plan_.notes.push_back(std::move(*why));
            return;
        }
        PlanStep step = plan_.steps.back();
        step.action = StepAction::reset;
        step.reason = Message("quiesce.reset_by", {{"method", device.reset_methods.front()}});
        step.waits_for = {plan_.steps.size() - 1};
        plan_.steps.push_back(std::move(step));
    }

    void list_kept() {
        for (const auto& [path, judged] : judged_) {
            if (judged.decision.action != Action::unbind) {
                const auto& device = *judged.device;
                plan_.kept.push_back({path, device.name, device.bus, device.driver, judged.decision.reason,
                                      judged.decision.rule, judged.for_sake_of,
                                      judged.decision.action == Action::follow, judged.decision.must_be_quiet});
            }
        }
    }

    // Nobody unbinds these, but the verification stops what moves without a driver: an IOMMU may have none.
    void keep_driverless() {
        for (const auto& [path, device] : inventory_.devices) {
            if (device.bound() || !device.pci || device.pci->is_bridge()) {
                continue;
            }
            const Decision decision = decide(device, inventory_, policy_);
            if (decision.action == Action::keep) {
                plan_.kept.push_back(
                    {path, device.name, device.bus, {}, decision.reason, decision.rule, {}, false, false});
            }
        }
    }

    // Whoever keeps a driver by a name that is wrong finds out after the jump otherwise.
    void note_names_of_nothing() {
        for (const auto& name : policy_.keep) {
            const bool found =
                std::any_of(inventory_.devices.begin(), inventory_.devices.end(), [&](const auto& each) {
                    return (each.second.bound() || each.second.pci) && names_device(name, each.second);
                });
            if (!found) {
                plan_.notes.emplace_back(
                    "quiesce.keep_names_nothing",
                    std::initializer_list<Message::Param>{{"name", name}, {"origin", policy_.keep_origin}});
            }
        }
    }

    // The step that would take a path away, or null.
    PlanStep* step_taking(std::string_view path) {
        for (; path.size() > 1; path = path.substr(0, path.rfind('/'))) {
            if (const auto found = step_at_.find(path); found != step_at_.end()) {
                return &plan_.steps[found->second];
            }
        }
        return nullptr;
    }

    PlanStep* step_taking_network() {
        for (const auto& interface : inventory_.interfaces) {
            if (auto* step = step_taking(interface.path)) {
                return step;
            }
        }
        return nullptr;
    }

    void refuse(const Message& what, PlanStep& step) {
        step.refused = true;
        Message refusal = what.with({"device", step.name}).with({"driver", step.driver});
        if (refused_.insert(refusal.sentence()).second) {
            plan_.refusals.push_back(std::move(refusal));
        }
    }

    void refuse_for(const User& user) {
        for (const auto& path : user.needs) {
            if (auto* step = step_taking(path)) {
                refuse(user.what, *step);
                break;
            }
        }
        if (user.needs_network) {
            if (auto* step = step_taking_network()) {
                refuse(user.what, *step);
            }
        }
    }

    void find_refusals() {
        for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
            if (plan_.steps[i].action != StepAction::reset) {
                step_at_[plan_.steps[i].path] = i;
            }
        }
        if (policy_.in_use == InUse::refuse) {  // otherwise what they stand on is kept
            std::for_each(inventory_.users.begin(), inventory_.users.end(),
                          [this](const User& user) { refuse_for(user); });
        }
        for (const auto& [name, who] : policy_.busy_interfaces) {
            for (const auto& interface : inventory_.interfaces) {
                auto* step = interface.name == name ? step_taking(interface.path) : nullptr;
                if (step != nullptr) {
                    refuse(Message("quiesce.user_interface", {{"interface", name}, {"user", who}}), *step);
                }
            }
        }
    }

    const Inventory& inventory_;
    const Policy& policy_;
    std::map<std::string, Judged, std::less<>> judged_;
    std::unordered_set<std::string> refused_;                    // the sentences of the refusals
    std::unordered_map<std::string_view, std::size_t> step_at_;  // the last step of a path
    Plan plan_;
};

std::string rule_text(const std::string& rule) {
    return rule.empty() ? "" : " [" + rule + "]";
}

std::string text_of(const PlanStep& step, const std::vector<PlanStep>& steps) {
    std::string after;
    for (const std::size_t before : step.waits_for) {
        after += (after.empty() ? ", after " : " and ") + steps[before].name;
    }
    return std::string(to_word(step.action)) + " " + step.name + " (" + step.bus + ", " + step.driver + ")" +
           after + ": " + step.reason.sentence() + rule_text(step.rule);
}

}  // namespace

std::string_view to_word(StepAction action) {
    switch (action) {
        case StepAction::unbind: return "unbind";
        case StepAction::sriov_off: return "switch off the virtual functions of";
        case StepAction::reset: return "reset";
    }
    return "";
}

const Kept* Plan::kept_at(std::string_view path) const {
    const auto found = std::find_if(kept.begin(), kept.end(), [&](const Kept& k) { return k.path == path; });
    return found == kept.end() ? nullptr : &*found;
}

std::vector<std::string> Plan::text() const {
    std::vector<std::string> lines;
    for (const auto& refusal : refusals) {
        lines.push_back("refused: " + refusal.sentence());
    }
    for (const auto& step : steps) {
        lines.push_back(text_of(step, steps));
    }
    for (const auto& device : kept) {
        lines.push_back((device.follows ? "leave " : "keep ") + device.name + " (" + device.bus + ", " +
                        (device.driver.empty() ? "no driver" : device.driver) + "): " + device.reason.sentence() +
                        rule_text(device.rule));
    }
    for (const auto& note : notes) {
        lines.push_back("note: " + note.sentence());
    }
    return lines;
}

Plan make_plan(const Inventory& inventory, const Policy& policy) {
    return Planner(inventory, policy).run();
}

}  // namespace stillboot::quiesce
