// SPDX-License-Identifier: Apache-2.0
// The record as a JSON value, for those who put it into a document of their own.
#pragma once

#include <boost/json/value.hpp>

#include "kexec/handover/past_attempts.hpp"
#include "kexec/handover/record.hpp"

namespace stillboot::handover {

[[nodiscard]] boost::json::value to_json(const Record& record);
/// Null where there is none.
[[nodiscard]] boost::json::value to_json(const std::optional<Choice>& choice);
/// Nothing where the member is missing, or is no choice.
[[nodiscard]] std::optional<Choice> choice_in(const boost::json::object& object, std::string_view name);
[[nodiscard]] boost::json::array to_json(const PastAttempts& attempts);
/// Those that can be read; none where the member is missing, as older versions leave it.
[[nodiscard]] PastAttempts past_attempts_in(const boost::json::object& object, std::string_view name);
/// Empty where there is no string of that name.
[[nodiscard]] std::string text_in(const boost::json::object& object, std::string_view name);
/// False where there is no flag of that name.
[[nodiscard]] bool flag_in(const boost::json::object& object, std::string_view name);
/// @error as record_from_text
[[nodiscard]] Result<Record> record_from_json(const boost::json::value& value);

}  // namespace stillboot::handover
