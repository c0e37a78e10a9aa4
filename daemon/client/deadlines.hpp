// SPDX-License-Identifier: Apache-2.0
// How long an answer may take, by method.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include "daemon/protocol/methods.hpp"

namespace stillboot::client {

/// How long a call may take whose work is done at once on the other side.
inline constexpr std::chrono::milliseconds default_deadline{10'000};

/// What the daemon allows for one access to its state store (TwoCopyStore::usual_deadline).
inline constexpr std::chrono::milliseconds store_deadline{15'000};
/// The same for one scan, where no setting says otherwise (`probe.deadline`).
inline constexpr std::chrono::milliseconds scan_deadline{30'000};

/// How long a call may take for which the daemon reads and writes its store, or scans a device: such a piece of
/// work that was begun for somebody else comes before it.
inline constexpr std::chrono::milliseconds slow_deadline =
    2 * std::max(2 * store_deadline, scan_deadline) + default_deadline;

inline constexpr std::array<std::string_view, 8> slow_methods = {
    protocol::Boot::name,       protocol::SetDefault::name,     protocol::SetOneShot::name,
    protocol::SetSetting::name, protocol::SetTimeout::name,     protocol::AddConfiguration::name,
    protocol::Reboot::name,     protocol::GetQuiescePlan::name,
};

/// A client that gives up earlier than the daemon calls failed what is done all the same.
[[nodiscard]] constexpr std::chrono::milliseconds deadline_of(std::string_view method) {
    const bool slow = std::find(slow_methods.begin(), slow_methods.end(), method) != slow_methods.end();
    return slow ? slow_deadline : default_deadline;
}

}  // namespace stillboot::client
