// SPDX-License-Identifier: Apache-2.0
// Passwords and their hashes, which a helper of its own computes: that takes long, and libcrypt.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "config/base/result.hpp"
#include "daemon/loop/spawn.hpp"
#include "daemon/password/wire.hpp"

namespace stillboot::password {

/// Whether this build lacks the helper: daemon.no_passwords
[[nodiscard]] std::optional<Error> why_none();

/// Whether text can be a password: 1 to max_password_bytes bytes of UTF-8 without control
/// characters. @error
/// daemon.bad_password
[[nodiscard]] Result<void> check_text(std::string_view text);

/// Overwrites a text before it is forgotten.
void wipe(std::string& text);

using OnChecked = std::function<void(const Result<bool>& right)>;

/// Compares a password with a hash, and tells from the loop. The helper is given neither on its command line nor
/// in its environment, and ends within its deadline. Thread: the loop's alone.
/// @error daemon.no_passwords, daemon.password_failed
void check(const Spawner& spawner, const std::string& hash, std::string password, OnChecked done);

/// Whether any password can match a hash at all: libcrypt knows its method, and makes what has its form. As
/// check().
void check_hash(const Spawner& spawner, const std::string& hash, OnChecked done);

/// A hash by the best method that libcrypt has: yescrypt. Blocking, for a few tenths of a second.
/// @error daemon.no_passwords, daemon.password_failed
[[nodiscard]] Result<std::string> make_hash(std::string password);

}  // namespace stillboot::password
