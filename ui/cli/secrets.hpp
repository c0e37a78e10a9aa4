// SPDX-License-Identifier: Apache-2.0
// Leaving secrets out of what goes to others.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace stillboot::cli {

/// The text without what looks like a secret: the value of a NAME=VALUE whose name has a password, passphrase,
/// secret, token or key in it, quotes and all, and who logs in in a URL.
[[nodiscard]] std::string without_secrets(std::string_view text);

/// The same for every text in a value.
void leave_out_secrets(boost::json::value& value);

}  // namespace stillboot::cli
