// SPDX-License-Identifier: Apache-2.0
// org.varlink.service: what every varlink service says of itself, and its errors.
#pragma once

#include <string>
#include <string_view>

#include "daemon/protocol/varlink.hpp"

namespace stillboot::protocol {

inline constexpr std::string_view service_interface = "org.varlink.service";
inline constexpr std::string_view get_info_name = "org.varlink.service.GetInfo";

/// The text of an interface this service has, or an empty view. Lifetime: static.
[[nodiscard]] std::string_view interface_description(std::string_view name);

/// True for "org.varlink.service.…": answer_service then answers it.
[[nodiscard]] bool is_service_call(const Call& call);
/// The answer to GetInfo, GetInterfaceDescription or a method that org.varlink.service lacks.
[[nodiscard]] Reply answer_service(const Call& call);

/// "io.stillboot.Boot" -> "io.stillboot"; empty where there is no dot.
[[nodiscard]] std::string_view interface_of(std::string_view method);

[[nodiscard]] Reply interface_not_found(std::string_view interface);
[[nodiscard]] Reply method_not_found(std::string_view method);
[[nodiscard]] Reply invalid_parameter(std::string_view parameter);
[[nodiscard]] Reply expected_more();

}  // namespace stillboot::protocol
