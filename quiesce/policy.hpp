// SPDX-License-Identifier: Apache-2.0
// Which devices are unbound and which are kept, as rules with a reason each.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/message.hpp"
#include "config/model/rule.hpp"
#include "config/model/settings.hpp"
#include "quiesce/inventory.hpp"
#include "quiesce/learned.hpp"
#include "quiesce/shipped_rules.hpp"

namespace stillboot::quiesce {

enum class Action {
    unbind,  ///< a step of its own
    keep,    ///< stays bound, and so does everything it stands on
    follow,  ///< no step of its own: it goes when what it stands on goes, and stays otherwise
};

/// What becomes of a device that somebody uses.
enum class InUse {
    refuse,
    keep,  ///< its chain stays bound; passive users count for nothing. For who cannot go back to the users
};

struct Policy {
    /// In order: the first that matches decides.
    std::vector<Rule> rules = shipped_rules();
    /// What an administrator wants left bound (settings `keep`, `stillboot.keep=`): a driver's name or glob
    /// ("xhci_hcd"), a PCI id ("8086:1e31"), a device's name ("0000:00:04.0") or its sysfs path, also a glob.
    std::vector<std::string> keep;
    /// Where that was set, Origin::text.
    std::string keep_origin;
    /// The opposite, by the same names: unbound although a shipped rule would not. A console is kept all the same.
    std::vector<std::string> unbind;
    /// Sysfs paths or /dev nodes under which a scan hangs in the kernel: their chain is kept and named.
    std::vector<std::string> hung;
    /// The same of disks that do not answer their requests (silent_disks.hpp).
    std::vector<std::string> silent;
    /// What earlier hand-overs have taught: these drivers are left alone.
    std::vector<Learned> learned;
    /// Sysfs path or /dev node of the state store: its chain goes last. Empty where there is none.
    std::string state_store;
    /// Interfaces that something of ours uses right now, each with who it is.
    std::vector<std::pair<std::string, std::string>> busy_interfaces;
    InUse in_use = InUse::refuse;
    QuiesceMode mode = QuiesceMode::remove;
    /// Where that was set, Origin::text.
    std::string mode_origin;
};

/// The stage of what a rule wants last: displays.
constexpr int last_stage = 1;

/// What policy says of one device, before closure over ancestors and suppliers.
struct Decision {
    Action action = Action::unbind;
    int stage = 0;
    std::chrono::seconds deadline{10};
    Message reason;
    bool reset = false;          ///< after its unbind, where that can be
    bool must_be_quiet = false;  ///< while it stays bound it counts as moving unless it is quiet in config space
    std::string rule;  ///< Rule::label of the rule that decided, or the setting; empty where no rule was asked
};

[[nodiscard]] Decision decide(const Device& device, const Inventory& inventory, const Policy& policy);

/// True where one of the names of Policy::keep names this device.
[[nodiscard]] bool names_device(std::string_view pattern, const Device& device);

/// The words of settings and of the kernel command line: names parted by commas or white space.
[[nodiscard]] std::vector<std::string> split_names(std::string_view text);

}  // namespace stillboot::quiesce
