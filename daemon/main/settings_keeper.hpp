// SPDX-License-Identifier: Apache-2.0
// The settings while the daemon runs: what was read at its start, and what has been said since.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/parse/settings/settings.hpp"
#include "daemon/handover/booter.hpp"
#include "daemon/protocol/types.hpp"

namespace stillboot {

/// Thread: the loop's alone. Lifetime: the booter, which writes to the state store, outlives the loop's last run,
/// and so does this.
class SettingsKeeper {
public:
    using Done = std::function<void(const Result<void>&)>;

    explicit SettingsKeeper(SettingsLayers layers);
    /// Where lasting changes go. Before the first set().
    void use(handover::Booter& booter) { booter_ = &booter; }
    /// Called whenever now() is another.
    void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

    [[nodiscard]] const Settings& now() const { return loaded_.settings; }
    /// What is wrong in the layers that they are made of.
    [[nodiscard]] const std::vector<Diagnostic>& diagnostics() const { return loaded_.diagnostics; }
    /// Each with its value, where that comes from, and what the state store holds.
    [[nodiscard]] std::vector<protocol::Setting> list() const;

    /// What the state store holds, once it can be read. What of it is not accepted, and why.
    std::vector<Diagnostic> on_stored(std::vector<SettingText> stored);
    /// Sets a value for this start alone, or in the state store as well; none: forgets what was said.
    /// @error those of check_setting and of Booter::keep_setting
    void set(const std::string& key, const std::optional<std::string>& value, bool lasting, Done done);

private:
    std::vector<Diagnostic> take(std::vector<SettingText> stored);
    void apply();

    SettingsLayers layers_;
    LoadedSettings loaded_;
    handover::Booter* booter_ = nullptr;
    std::function<void()> changed_ = [] {};
};

}  // namespace stillboot
