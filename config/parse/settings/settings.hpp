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

/// Reads the files in order, a later one over an earlier, and then `stillboot.KEY=VALUE` of the kernel command
/// line over all of them. What is wrong costs only itself and is said: a value that is not accepted leaves the
/// one before it, a line that is no TOML is left out.
[[nodiscard]] LoadedSettings parse_settings(const std::vector<SettingsFile>& files,
                                            std::string_view kernel_command_line);

/// The settings of the machine whose root is given: stillboot.toml in /usr/lib/stillboot and /etc/stillboot, then
/// the drop-ins of both (`stillboot.toml.d/*.toml`, in the order of their names; one in /etc replaces its namesake
/// in /usr/lib), then /run/stillboot/stillboot.toml, then /proc/cmdline.
/// Limits: a file of more than 64 KiB is left out, and said.
[[nodiscard]] LoadedSettings load_settings(const Root& root);

}  // namespace stillboot
