// SPDX-License-Identifier: Apache-2.0
// What outlives the kernel: the hand-over that is under way, and what earlier ones have taught.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model/settings.hpp"
#include "kexec/handover/past_attempts.hpp"
#include "kexec/handover/record.hpp"
#include "quiesce/jump_report.hpp"
#include "quiesce/learned.hpp"
#include "quiesce/state_store.hpp"

namespace stillboot::handover {

/// How often in a row the machine is known to have gone down on the way to one option.
struct Deaths {
    std::string option_id;
    unsigned count = 0;

    bool operator==(const Deaths&) const = default;
};

/// What somebody has chosen for the starts to come.
struct Choices {
    std::optional<Choice> saved_default;  ///< for each of them
    std::optional<Choice> one_shot;       ///< for the next one alone

    bool operator==(const Choices&) const = default;
};

/// The one document of the state store.
struct State {
    static constexpr int format_version = 1;

    std::optional<Record> attempt;  ///< committed, and neither undone nor looked back at
    std::vector<quiesce::Learned> learned;
    std::optional<quiesce::JumpReport> report;  ///< of the last attempt
    Deaths deaths;
    Choices choices;
    std::vector<SettingText> settings;  ///< each key once
    PastAttempts attempts;

    bool operator==(const State&) const = default;
};

[[nodiscard]] std::string to_text(const State& state);
/// @error handover.state_newer (a later format: not ours to touch), handover.state_damaged, those of
/// record_from_json
[[nodiscard]] Result<State> state_from_text(std::string_view text);

/// What a store holds; an empty one where nothing was ever written. @error those of the store and of the text
[[nodiscard]] Result<State> read_state(quiesce::StateStore& store);
/// Where a store has no room for all of it the oldest attempts go first, from `state` too, then the report, then
/// what the attempt under way says beyond what it is, and at last the attempt: what was chosen and learned, and
/// that a choice for once is used, counts more. @error those of the store
[[nodiscard]] Result<void> write_state(quiesce::StateStore& store, State& state);

/// Settings must leave a store half of its room, for what each boot writes there.
/// @error handover.settings_too_large (bytes, limit)
[[nodiscard]] Result<void> leaves_room(const quiesce::StateStore& store, const State& state);

/// The report that a state store holds, as a place where one survives. Lifetime: borrows the store.
class StoredReport final : public quiesce::ReportSource {
public:
    explicit StoredReport(quiesce::StateStore& store) : store_(store) {}

    [[nodiscard]] std::string name() const override { return "the state store (" + store_.place() + ")"; }
    /// @error those of read_state
    Result<std::optional<quiesce::JumpReport>> read() override;

private:
    quiesce::StateStore& store_;
};

/// A hand-over that an earlier kernel began and was to be tried again.
struct Retry {
    std::string option_id;
    std::string title;
    std::string command_line;
    Overrides overrides;
    unsigned attempt = 1;
    UsedUp used;
};

/// What the store told of the time before this kernel.
struct LookBack {
    std::vector<Message> notes;  ///< what happened, and which drivers are left alone since
    std::optional<Retry> retry;
    /// What the firmware was asked for once, where the machine went down between the record that used it up and
    /// that.
    std::optional<std::string> used_entry;
    bool hold = false;  ///< too many deaths in a row: nothing may boot by itself
    State state;        ///< as the store holds it now
};

/// How often one boot is tried, each time with one more driver left alone, before the menu is left to decide.
constexpr unsigned max_attempts = 4;

/// How many deaths in a row on the way to one option leave the menu to decide.
constexpr unsigned max_deaths = 3;

/// Looks at the attempt of an earlier boot, learns from it, and settles it: it is told once. One of this boot is
/// left alone: recover() undoes it.
/// @param boot_id of this kernel
/// @param watchdog_fired whether a watchdog restarted the machine, as its hardware tells this kernel
/// @error those of read_state; a write that fails is a note
[[nodiscard]] Result<LookBack> look_back(quiesce::StateStore& store, std::string_view boot_id,
                                         bool watchdog_fired);

}  // namespace stillboot::handover
