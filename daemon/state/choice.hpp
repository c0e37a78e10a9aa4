// SPDX-License-Identifier: Apache-2.0
// Which state store this machine has.
#pragma once

#include <memory>
#include <string>

#include "config/base/root.hpp"
#include "quiesce/state_store.hpp"

namespace stillboot::state {

/// The place of the machine's state store, in words: a node, or "EFI variables". What the setting names ("none"
/// for no store, "efi", a node); where it is empty the file system that is labelled STILLSTATE on a disk that is
/// not removable, else EFI variables, where they can be written. Empty where there is none.
[[nodiscard]] std::string find_store(const Root& root, const std::string& setting);

/// That store, or null where there is none.
[[nodiscard]] std::unique_ptr<quiesce::StateStore> open_store(const Root& root, const std::string& setting);

}  // namespace stillboot::state
