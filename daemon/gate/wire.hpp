// SPDX-License-Identifier: Apache-2.0
// What stillboot-tls is told and what it says: one JSON object a packet (daemon/probe/wire.hpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.hpp"
#include "daemon/protocol/role.hpp"
#include "daemon/tls/files.hpp"

namespace stillboot::gate {

inline constexpr std::string_view tls_program = "stillboot-tls";

/// The only packet to the helper.
struct Order {
    std::vector<std::string> addresses;  ///< each with its port, such as "[::]:5253", which takes IPv4, too
    tls::Files files;
};

/// A packet from the helper.
struct Report {
    enum class What {
        listens,        ///< on `address`, with the port that it got
        not_listening,  ///< on `address`, for `reason`
        refused,        ///< a client from `address` (without its port), for `reason`
        client,  ///< from `address` (with its port), by its certificate; the packet's descriptor carries its bytes
    };
    What what = What::listens;
    std::string address;
    std::string reason;
    std::string name;
    protocol::Role role = protocol::Role::look;
};

[[nodiscard]] std::string to_text(const Order& order);
[[nodiscard]] std::string to_text(const Report& report);
/// @error daemon.not_json, daemon.gate_broke_protocol
[[nodiscard]] Result<Order> order_of(std::string_view text);
[[nodiscard]] Result<Report> report_of(std::string_view text);

}  // namespace stillboot::gate
