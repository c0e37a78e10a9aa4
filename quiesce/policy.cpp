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

// The kernel itself takes - and _ in a module's name for the same, and lsmod shows other names than sysfs.
bool is_same_driver(std::string_view one, std::string_view other) {
    const auto dashed = [](char c) { return c == '_' ? '-' : c; };
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [&](char a, char b) { return dashed(a) == dashed(b); });
}

bool driver_matches(std::string_view pattern, const std::string& driver) {
    return is_same_driver(pattern, driver) || glob_matches(pattern, driver);
}

bool any_driver_matches(const std::vector<std::string>& globs, const std::string& driver) {
    return globs.empty() || std::any_of(globs.begin(), globs.end(),
                                        [&](const std::string& glob) { return driver_matches(glob, driver); });
}

bool any_matches(const std::vector<std::string>& globs, const std::string& text) {
    return globs.empty() || std::any_of(globs.begin(), globs.end(),
                                        [&](const std::string& glob) { return glob_matches(glob, text); });
}

bool class_matches(const Rule& rule, const Device& device) {
    return rule.classes.empty() ||
           std::any_of(device.classes.begin(), device.classes.end(),
                       [&](const std::string& each) { return any_matches(rule.classes, each); });
}

bool pci_matches(const Rule& rule, const Device& device) {
    const auto& ids = rule.pci_ids;
    const auto& classes = rule.pci_classes;
    if (ids.empty() && classes.empty()) {
        return true;
    }
    if (!device.pci) {
        return false;
    }
    const PciFunction& pci = *device.pci;
    const bool id = ids.empty() || std::any_of(ids.begin(), ids.end(), [&](const PciIdPattern& each) {
                        return each.vendor == pci.vendor && each.device.value_or(pci.device) == pci.device;
                    });
    return id && (classes.empty() || std::any_of(classes.begin(), classes.end(), [&](const PciClassPattern& each) {
                      return (pci.class_code & each.mask) == each.value;
                  }));
}

bool rule_matches(const Rule& rule, const Device& device) {
    return any_matches(rule.buses, device.bus) && any_driver_matches(rule.drivers, device.driver) &&
           pci_matches(rule, device) && class_matches(rule, device) && any_matches(rule.paths, device.path) &&
           any_matches(rule.modalias, device.modalias);
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

// What a plan calls the rule where a setting decided.
std::string setting_rule(std::string_view key, const std::string& origin) {
    return "setting " + std::string(key) + (origin.empty() ? "" : " (" + origin + ")");
}

Action action_of(RuleAction action) {
    switch (action) {
        case RuleAction::unbind:
        case RuleAction::reset:
        case RuleAction::last: return Action::unbind;
        case RuleAction::keep: return Action::keep;
        case RuleAction::leave:
        case RuleAction::verify: break;
    }
    return Action::follow;
}

Decision from_rules(const Device& device, const Policy& policy) {
    const auto& rules = policy.rules;
    const auto found =
        std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) { return rule_matches(rule, device); });
    Decision decision;
    if (found != rules.end()) {  // the last shipped rule matches everything
        decision.action = action_of(found->action);
        decision.stage = found->action == RuleAction::last ? last_stage : 0;
        decision.deadline = found->deadline;
        decision.reason = Message("quiesce.rule", {{"why", found->why}});
        decision.must_be_quiet = found->action == RuleAction::verify;
        decision.reset = found->action == RuleAction::reset;
        decision.rule = found->label();
        const bool asks_for_it = !found->shipped || lacks_shutdown(device.bus, device.driver);
        if (policy.mode == QuiesceMode::minimal && decision.action == Action::unbind && !asks_for_it) {
            decision.action = Action::follow;
            decision.reason = Message("quiesce.mode_minimal");
            decision.rule = setting_rule("quiesce", policy.mode_origin);
        }
    }
    return decision;
}

}  // namespace

bool names_device(std::string_view pattern, const Device& device) {
    if (driver_matches(pattern, device.driver) || glob_matches(pattern, device.name) ||
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
    if (policy.mode == QuiesceMode::off) {
        Decision decision;
        decision.action = Action::follow;
        decision.reason = Message("quiesce.mode_off");
        decision.rule = setting_rule("quiesce", policy.mode_origin);
        return decision;
    }
    if (const Console* console = console_on(device, inventory)) {
        return keep_for(Message("quiesce.keep_console", {{"console", console->name}}));
    }
    if (names_any(policy.keep, device)) {
        Decision decision = keep_for(Message("quiesce.keep_setting"));
        decision.rule = setting_rule("keep", policy.keep_origin);
        return decision;
    }
    if ((device.driver == "nouveau" || device.driver == "nvidia") && !inventory.graphics_holder.empty()) {
        return keep_for(Message("quiesce.keep_graphics_open", {{"process", inventory.graphics_holder}}));
    }
    if (const Learned* learned = learned_of(device, policy)) {
        return keep_for(learned->message());
    }
    Decision decision = from_rules(device, policy);
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
