// SPDX-License-Identifier: Apache-2.0
// What is kept of a hand-over under way, so that a daemon that was killed can put everything back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kexec/handover/handover.hpp"
#include "quiesce/record.hpp"
#include "quiesce/state_store.hpp"

namespace stillboot::handover {

/// A block device that we opened ourselves on top of others, and that is closed before those go.
struct Volume {
    std::string kind;             ///< "LUKS", "LVM", "MD"
    std::string name;             ///< as its opener calls it: "cryptroot", "vg0/root"
    std::vector<std::string> on;  ///< stable identities (UUID) of the devices it stands on

    bool operator==(const Volume&) const = default;
};

struct Record : UsedUp {
    static constexpr int format_version = 1;

    std::string boot_id;  ///< of the kernel in which the hand-over runs
    std::string option_id;
    std::string title;
    std::string command_line;
    Overrides overrides;          ///< its files: the command line has the rest
    Step step = Step::commit;     ///< the one that was about to run
    unsigned attempt = 1;         ///< of this option, each with one more driver left alone
    bool retry = false;           ///< the machine was restarted so that the next kernel tries again
    bool store_gone = false;      ///< the state store's own devices were about to go: it can be told nothing more
    std::vector<Volume> volumes;  ///< closed by the take-down, the topmost first
    bool watchdog = false;        ///< one is armed before the jump
    std::int64_t began = 0;       ///< when it was committed: seconds since 1970, as far as the clock is right
    quiesce::UndoRecord devices;

    bool operator==(const Record&) const = default;
};

[[nodiscard]] std::string to_text(const Record& record);
/// @error handover.record_newer (a later format: not ours to touch), handover.record_damaged, and those of
///   quiesce::record_from_json
[[nodiscard]] Result<Record> record_from_text(std::string_view text);

/// The record in /run, where it is of this kernel: of a hand-over that is under way, was cut off, or whose undo
/// did not bring everything back. @error those of the store and of record_from_text
[[nodiscard]] Result<std::optional<Record>> left_over(quiesce::StateStore& run_store, const Root& root);

/// The device that a hung unbind of this kernel holds: no kexec, ordinary restart or power-off gets past it. Empty
/// where there is none, or where the record cannot be read, which is recover()'s to tell.
[[nodiscard]] std::string held_device(quiesce::StateStore& run_store, const Root& root);

}  // namespace stillboot::handover
