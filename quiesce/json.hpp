// SPDX-License-Identifier: Apache-2.0
// The values of this room as JSON: verdicts to print, records to keep.
#pragma once

#include <boost/json/value.hpp>

#include "quiesce/executor.hpp"
#include "quiesce/record.hpp"
#include "quiesce/undo.hpp"
#include "quiesce/verify.hpp"

namespace stillboot::quiesce {

[[nodiscard]] boost::json::value to_json(const Verification& verification);
[[nodiscard]] boost::json::value to_json(const UndoReport& report);
[[nodiscard]] boost::json::value to_json(const std::vector<StepOutcome>& outcomes);
[[nodiscard]] boost::json::value to_json(const UndoRecord& record);

/// Reads a record back. @error quiesce.record_newer (a format of a later version: not ours to touch),
/// quiesce.record_damaged
[[nodiscard]] Result<UndoRecord> record_from_json(const boost::json::value& value);

}  // namespace stillboot::quiesce
