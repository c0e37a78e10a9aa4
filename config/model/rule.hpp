// SPDX-License-Identifier: Apache-2.0
// A rule of the policy that says which devices are unbound before the jump, as a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stillboot {

/// What a rule asks for the devices that it matches.
enum class RuleAction {
    unbind,  ///< a step of its own
    keep,    ///< stays bound, and so does everything it stands on
    leave,   ///< no step of its own: it goes when what it stands on goes, and stays otherwise
    verify,  ///< as leave, but a PCI function that stays bound must be quiet in config space
    reset,   ///< as unbind, and then, without a driver, the PCI function is reset
    last,    ///< unbound after all that are not
};

/// "unbind", "keep", … as rule files write them. Lifetime: static.
[[nodiscard]] std::string_view to_word(RuleAction action);
[[nodiscard]] std::optional<RuleAction> rule_action_of(std::string_view word);

/// A PCI function by its numbers; no device: any of the vendor.
struct PciIdPattern {
    std::uint16_t vendor = 0;
    std::optional<std::uint16_t> device;

    bool operator==(const PciIdPattern&) const = default;
};

/// A 24-bit PCI class code (base class, sub-class, interface), compared under a mask.
struct PciClassPattern {
    std::uint32_t value = 0;
    std::uint32_t mask = 0;

    bool operator==(const PciClassPattern&) const = default;
};

/// "8086:100e" or "8086:*", in either case. Empty where the text is neither.
[[nodiscard]] std::optional<PciIdPattern> pci_id_pattern(std::string_view text);
/// "03", "0300" or "030000", or value and mask of six digits each, "060000/ff8000"; hexadecimal. Empty where the
/// text is none of them, or the value has a bit that the mask has not, so that nothing could match.
[[nodiscard]] std::optional<PciClassPattern> pci_class_pattern(std::string_view text);
/// As they are written; a class always with its mask.
[[nodiscard]] std::string to_text(const PciIdPattern& pattern);
[[nodiscard]] std::string to_text(const PciClassPattern& pattern);

/// Every list that is not empty must have an item that matches. Texts are globs (fnmatch(3), no flags).
struct Rule {
    std::string name;
    bool shipped = false;    ///< built into the programs
    std::string file;        ///< where it stands; of a shipped one the file of the source tree
    std::uint32_t line = 0;  ///< of its [[rule]]

    std::vector<std::string> drivers;
    std::vector<std::string> buses;
    std::vector<std::string> paths;     ///< over the sysfs path, "/sys/devices/…"
    std::vector<std::string> classes;   ///< sysfs classes that it provides: "watchdog"
    std::vector<std::string> modalias;  ///< "pci:v00008086d*"
    std::vector<PciIdPattern> pci_ids;
    std::vector<PciClassPattern> pci_classes;

    RuleAction action = RuleAction::unbind;
    std::chrono::seconds deadline{10};
    std::string why;
    std::string source;

    /// The name, with the place of a rule that is not a shipped one: "ours (/etc/stillboot/quiesce.d/a.toml:3)".
    [[nodiscard]] std::string label() const;
    /// What it matches as "driver = e1000, bus = pci | virtio", for lists.
    [[nodiscard]] std::string match_text() const;
    bool operator==(const Rule&) const = default;
};

}  // namespace stillboot
