// SPDX-License-Identifier: Apache-2.0
// JSON on the standard output, on one line or indented.
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "ui/cli/context.hpp"

namespace stillboot::cli {

/// Indented by two blanks; an empty array or object stays on its line.
[[nodiscard]] std::string pretty(const boost::json::value& value);

/// Prints a value in the form that was asked for, with a newline.
void print_json(const Context& context, const boost::json::value& value);

/// The same on one line whatever the form: for streams, where a reader takes a line at a time.
void print_json_line(const Context& context, const boost::json::value& value);

}  // namespace stillboot::cli
