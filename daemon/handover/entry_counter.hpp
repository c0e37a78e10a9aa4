// SPDX-License-Identifier: Apache-2.0
// Boot counters on this machine's disks.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/base/root.hpp"
#include "kexec/handover/ports.hpp"

namespace stillboot::handover {

/// The node of a device by its PARTUUID or UUID, as udev links it now. Nothing where it is not there, or where the
/// reference is neither.
[[nodiscard]] std::optional<std::string> node_of(const Root& root, const DeviceRef& device);

/// All that have it, for a copied disk has the same; the one that udev links where its database does not say.
[[nodiscard]] std::vector<std::string> nodes_of(const Root& root, const DeviceRef& device);

/// The same as state::on_writable(), for a file system whose type is not known.
[[nodiscard]] Result<void> on_entries(const std::string& node, std::function<Result<void>(const Root&)> act);

/// Lifetime: borrows the root.
class EntryCounter final : public TryCounter {
public:
    /// @param patience for a device to come back after it was bound again
    explicit EntryCounter(const Root& root, std::chrono::milliseconds patience = std::chrono::seconds(30))
        : root_(root), patience_(patience) {}
    Result<void> take(const Try& one) override;
    Result<void> give_back(const Try& one) override;

private:
    [[nodiscard]] std::optional<std::string> node_now(const EntryFile& file) const;
    [[nodiscard]] std::optional<std::string> await_node(const EntryFile& file) const;

    const Root& root_;
    std::chrono::milliseconds patience_;
};

}  // namespace stillboot::handover
