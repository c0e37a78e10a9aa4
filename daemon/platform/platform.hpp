// SPDX-License-Identifier: Apache-2.0
// What the firmware of this kind of machine can be asked, and what it asks for.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/base/result.hpp"
#include "config/base/root.hpp"

namespace stillboot::platform {

/// Blocking: each call asks the firmware, within a deadline of some seconds. @error platform.hangs of each, and
/// those of EfiVariables
class Platform {
public:
    virtual ~Platform() = default;
    /// Has the firmware open its setup at the next start of the machine.
    /// @error platform.no_efi, platform.no_variables, platform.no_setup: why it cannot be asked for
    virtual Result<void> ask_for_setup() = 0;
    /// The name of the boot entry that is asked for at the next start alone, above everything that is set here.
    virtual Result<std::optional<std::string>> entry_once() = 0;
    /// Asks for that, or for none. @error platform.no_efi, platform.no_variables
    virtual Result<void> set_entry_once(const std::optional<std::string>& entry) = 0;
};

/// That of this machine. Lifetime: nothing is borrowed.
[[nodiscard]] std::unique_ptr<Platform> platform_of(const Root& root);

}  // namespace stillboot::platform
