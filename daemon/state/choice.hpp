// SPDX-License-Identifier: Apache-2.0
// Which state store this machine has.
#pragma once

#include <memory>
#include <string>

#include "config/base/root.hpp"
#include "quiesce/state_store.hpp"

namespace stillboot::state {

/// The place of the machine's state store, in words: a node, or "EFI variables". What the setting names ("none"
/// for no store, "efi", a node); where it is empty the file system that is labelled STILLSTATE on a disk that
/// cannot be taken away, else EFI variables, where they can be written. Empty where there is none, or where
/// several have that label.
[[nodiscard]] std::string find_store(const Root& root, const std::string& setting);

/// What to say where that is empty: handover.no_store, state.several_stores (devices).
[[nodiscard]] Message why_no_store(const Root& root, const std::string& setting);

/// That store, or null where there is none.
[[nodiscard]] std::unique_ptr<quiesce::StateStore> open_store(const Root& root, const std::string& setting);

}  // namespace stillboot::state
