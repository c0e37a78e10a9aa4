// SPDX-License-Identifier: Apache-2.0
// Is every PCI endpoint at rest? Looked up in config space, device by device, drivers or not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.hpp"
#include "quiesce/plan.hpp"
#include "quiesce/ports.hpp"

namespace stillboot::quiesce {

/// still: unbound, or never bound, and nothing is enabled. kept: bound by policy, and the kernel's own
/// shutdown stops it. contained: bus mastering is off because we took it off, or it does not answer; it may
/// hold buffered transfers. moving: it can write to memory or interrupt, or cannot be looked at, and may not be
/// jumped over.
enum class Rest { still, kept, contained, moving };

/// "still", "kept", "contained", "moving". Lifetime: static.
[[nodiscard]] std::string_view to_word(Rest rest);

struct Verdict {
    std::string path;
    std::string name;
    std::string driver;  ///< bound now, or empty
    Rest rest = Rest::still;
    Message why;

    bool operator==(const Verdict&) const = default;
};

struct Verification {
    std::vector<Verdict> verdicts;  ///< every endpoint, by path
    bool only_reports = false;      ///< of a plan with its hands off: what moves refuses nothing

    /// Nothing moves.
    [[nodiscard]] bool at_rest() const { return count(Rest::moving) == 0; }
    /// Nothing moves, or what does is only reported.
    [[nodiscard]] bool may_jump() const { return only_reports || at_rest(); }
    [[nodiscard]] std::size_t count(Rest rest) const;
};

/// Stops a function that no driver is bound to, as far as the kernel lets us: bus mastering (through `enable`,
/// then the command register), MSI and MSI-X.
void stop_function(const Ports& ports, const std::string& path);

/// Looks only. @error base.open_failed where the PCI bus cannot be listed; a machine without one has no endpoint.
[[nodiscard]] Result<Verification> look(const Root& root, const Plan& plan);

/// Looks, stops what masters the bus without a driver, waits up to a second for pending transactions, and looks
/// again. Bridges are never touched.
[[nodiscard]] Result<Verification> verify(const Ports& ports, const Plan& plan);

}  // namespace stillboot::quiesce
