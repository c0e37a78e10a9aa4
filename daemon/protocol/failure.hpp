// SPDX-License-Identifier: Apache-2.0
// The errors of the protocol as a client meets them, and as the daemon sends them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/protocol/role.hpp"
#include "daemon/protocol/varlink.hpp"

namespace stillboot::protocol {

/// What a failed call means to whoever made it; the sentence is the error's own.
enum class Failure {
    not_found,
    ambiguous,
    busy,
    refused,
    boot_failed,
    permission_denied,
    wrong_password,  ///< or one that was not looked at, for it came too soon: see the parameter wait_ms
    not_in_this_build,
    too_slow,
    invalid_parameter,
    unknown_method,  ///< also an unknown interface
    expected_more,
    unreachable,  ///< no daemon there, or the connection ended
    timed_out,
    protocol,  ///< the peer sent what it may not, or an error that this build does not know
};

/// The kind of an error that a client's call returned.
[[nodiscard]] Failure classify(const Error& error);

/// The error of a reply that carries one, with a sentence. Codes: daemon.not_found {what}, daemon.ambiguous
/// {what, candidates}, daemon.busy {option}, daemon.refused {reason}, daemon.boot_failed {reason}, …
[[nodiscard]] Error to_error(const Reply& reply);

[[nodiscard]] Reply not_found(std::string_view what);
[[nodiscard]] Reply ambiguous(std::string_view what, const std::vector<std::string>& candidates);
[[nodiscard]] Reply busy(std::string_view option);
[[nodiscard]] Reply refused(const Message& reason);
[[nodiscard]] Reply boot_failed(const Message& reason);
[[nodiscard]] Reply permission_denied(Role needed, Role has);
[[nodiscard]] Reply wrong_password(std::chrono::milliseconds wait);
[[nodiscard]] Reply try_later(std::chrono::milliseconds wait);
[[nodiscard]] Reply not_in_this_build(std::string_view what);
[[nodiscard]] Reply too_slow();

}  // namespace stillboot::protocol
