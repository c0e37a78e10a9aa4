// SPDX-License-Identifier: Apache-2.0
// The record as a JSON value, for those who put it into a document of their own.
#pragma once

#include <boost/json/value.hpp>

#include "kexec/handover/record.hpp"

namespace stillboot::handover {

[[nodiscard]] boost::json::value to_json(const Record& record);
/// Null where there is none.
[[nodiscard]] boost::json::value to_json(const std::optional<Choice>& choice);
/// Nothing where the member is missing, or is no choice.
[[nodiscard]] std::optional<Choice> choice_in(const boost::json::object& object, std::string_view name);
/// @error as record_from_text
[[nodiscard]] Result<Record> record_from_json(const boost::json::value& value);

}  // namespace stillboot::handover
