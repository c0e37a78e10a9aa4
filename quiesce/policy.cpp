// SPDX-License-Identifier: Apache-2.0
// Finds the rule that decides about a device.
#include "quiesce/policy.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {
namespace {

// Each device is held against each rule, and most patterns are plain names or the beginning of one.
bool glob_matches(std::string_view pattern, const std::string& text) {
    const std::size_t special = pattern.find_first_of("*?[\\");
    if (special == pattern.npos) {
        return text == pattern;
    }
    if (!text.starts_with(pattern.substr(0, special))) {
        return false;
    }
    return pattern.substr(special) == "*" || ::fnmatch(std::string(pattern).c_str(), text.c_str(), 0) == 0;
}

bool rule_matches(const Rule& rule, const Device& device) {
    if (!rule.driver.empty() && !glob_matches(rule.driver, device.driver)) {
        return false;
    }
    if (!rule.bus.empty() && !glob_matches(rule.bus, device.bus)) {
        return false;
    }
    if (!rule.path.empty() && !glob_matches(rule.path, device.path)) {
        return false;
    }
    if (!rule.has_class.empty() &&
        std::find(device.classes.begin(), device.classes.end(), rule.has_class) == device.classes.end()) {
        return false;
    }
    if (rule.pci_class_mask == 0) {
        return true;
    }
    constexpr std::uint32_t bridge_base = 0x060000;
    const bool asks_for_bridges = rule.pci_class == bridge_base;
    return device.pci && (device.pci->class_code & rule.pci_class_mask) == rule.pci_class &&
           (!asks_for_bridges || device.pci->is_bridge());
}

// The console that stands on a device, or null. A hypervisor console has no device of its own in sysfs, so a
// driver that can carry one counts while such a console is in use.
const Console* console_on(const Device& device, const Inventory& inventory) {
    for (const auto& console : inventory.consoles) {
        const bool below = console.path == device.path || is_below(console.path, device.path);
        if (below && inventory.bound_at_or_above(console.path) == &device) {
            return &console;
        }
        if (console.name.starts_with("hvc") && device.driver == "virtio_console") {
            return &console;
        }
    }
    return nullptr;
}

bool names_any(const std::vector<std::string>& patterns, const Device& device) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return names_device(pattern, device); });
}

const Learned* learned_of(const Device& device, const Policy& policy) {
    const auto found = std::find_if(policy.learned.begin(), policy.learned.end(), [&](const Learned& each) {
        return each.is_kept() && each.names(device.driver, device.bus);
    });
    return found == policy.learned.end() ? nullptr : &*found;
}

Decision keep_for(Message reason) {
    Decision decision;
    decision.action = Action::keep;
    decision.reason = std::move(reason);
    return decision;
}

Decision from_rules(const Device& device) {
    const auto rules = default_rules();
    const auto found =
        std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) { return rule_matches(rule, device); });
    Decision decision;
    if (found != rules.end()) {  // the last rule matches everything
        decision.action = found->action;
        decision.stage = found->stage;
        decision.deadline = found->deadline;
        decision.reason = Message(found->reason);
    }
    return decision;
}

}  // namespace

bool names_device(std::string_view pattern, const Device& device) {
    if (glob_matches(pattern, device.driver) || glob_matches(pattern, device.name) ||
        glob_matches(pattern, device.path)) {
        return true;
    }
    if (!device.pci) {
        return false;
    }
    std::array<char, 16> id = {};
    std::snprintf(id.data(), id.size(), "%04x:%04x", unsigned{device.pci->vendor}, unsigned{device.pci->device});
    return ::fnmatch(std::string(pattern).c_str(), id.data(), FNM_CASEFOLD) == 0;
}

std::vector<std::string> split_names(std::string_view text) {
    return split(text, ", \t\n");
}

Decision decide(const Device& device, const Inventory& inventory, const Policy& policy) {
    if (const Console* console = console_on(device, inventory)) {
        return keep_for(Message("quiesce.keep_console", {{"console", console->name}}));
    }
    if (names_any(policy.keep, device)) {
        return keep_for(Message("quiesce.keep_setting"));
    }
    if ((device.driver == "nouveau" || device.driver == "nvidia") && !inventory.graphics_holder.empty()) {
        return keep_for(Message("quiesce.keep_graphics_open", {{"process", inventory.graphics_holder}}));
    }
    if (const Learned* learned = learned_of(device, policy)) {
        return keep_for(learned->message());
    }
    Decision decision = from_rules(device);
    if (decision.action != Action::unbind && names_any(policy.unbind, device)) {
        decision = Decision();
        decision.reason = Message("quiesce.rule_setting");
    }
    if (decision.action == Action::unbind && !device.can_unbind) {
        // It goes all the same when what it stands on goes.
        decision.action = Action::follow;
        decision.reason = Message("quiesce.keep_no_unbind");
    }
    return decision;
}

}  // namespace stillboot::quiesce
