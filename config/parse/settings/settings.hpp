// SPDX-License-Identifier: Apache-2.0
// Settings from TOML files, their drop-ins and the kernel command line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/base/root.hpp"
#include "config/model/diagnostic.hpp"
#include "config/model/settings.hpp"

namespace stillboot {

/// The text of one settings file.
struct SettingsFile {
    std::string path;
    std::string text;
};

struct LoadedSettings {
    Settings settings;
    std::vector<Diagnostic> diagnostics;
};

/// Where settings come from, the lowest first.
struct SettingsLayers {
    std::vector<SettingsFile> files;      ///< a later one over an earlier
    std::vector<SettingText> stored;      ///< in the state store
    std::string command_line;             ///< of the kernel: `stillboot.KEY=VALUE`
    std::vector<SettingText> this_start;  ///< said since the start, and forgotten at the next
    std::vector<SettingText> options{};   ///< of the daemon's own command line: nobody can say otherwise
};

/// The settings that the layers make. What is wrong costs only itself and is said: a value that is not accepted
/// leaves the one before it, a line that is no TOML is left out.
[[nodiscard]] LoadedSettings parse_settings(const SettingsLayers& layers);

struct ReadSettings {
    SettingsLayers layers;
    std::vector<Diagnostic> diagnostics;  ///< of files that cannot be read
};

/// The layers of the machine whose root is given: stillboot.toml in /usr/lib/stillboot and /etc/stillboot, then
/// the drop-ins of both (`stillboot.toml.d/*.toml`, in the order of their names; one in /etc replaces its namesake
/// in /usr/lib), then /run/stillboot/stillboot.toml; and /proc/cmdline. Limits: a file of more than 64 KiB is left
/// out, and said.
[[nodiscard]] ReadSettings read_settings(const Root& root);

/// Both in one.
[[nodiscard]] LoadedSettings load_settings(const Root& root);

}  // namespace stillboot
