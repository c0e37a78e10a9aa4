// SPDX-License-Identifier: Apache-2.0
// The answers of org.varlink.service (https://varlink.org/Service).
#include "daemon/protocol/service.hpp"

#include <boost/json.hpp>

#include "daemon/protocol/boot_control.hpp"

namespace stillboot::protocol {
namespace {

Reply error_reply(std::string_view name, std::string_view parameter, std::string_view value) {
    Reply reply;
    reply.error = std::string(service_interface) + "." + std::string(name);
    if (!parameter.empty()) {
        reply.parameters.emplace(parameter, value);
    }
    return reply;
}

Reply info() {
    Reply reply;
    reply.parameters = {
        {"vendor", "The Stillboot project"},
        {"product", "Stillboot"},
        {"version", STILLBOOT_VERSION},
        {"url", ""},
        {"interfaces", boost::json::array{interface_name, boot_control_interface, service_interface}}};
    return reply;
}

Reply description(const Call& call) {
    const auto* wanted = call.parameters.if_contains("interface");
    if (wanted == nullptr || !wanted->is_string()) {
        return invalid_parameter("interface");
    }
    const std::string_view text = interface_description(wanted->get_string());
    if (text.empty()) {
        return interface_not_found(wanted->get_string());
    }
    Reply reply;
    reply.parameters.emplace("description", text);
    return reply;
}

}  // namespace

std::string_view interface_of(std::string_view method) {
    const std::size_t dot = method.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : method.substr(0, dot);
}

bool is_service_call(const Call& call) {
    return interface_of(call.method) == service_interface;
}

Reply answer_service(const Call& call) {
    if (call.method == get_info_name) {
        return info();
    }
    if (call.method == "org.varlink.service.GetInterfaceDescription") {
        return description(call);
    }
    return method_not_found(call.method);
}

Reply interface_not_found(std::string_view interface) {
    return error_reply("InterfaceNotFound", "interface", interface);
}
Reply method_not_found(std::string_view method) {
    return error_reply("MethodNotFound", "method", method);
}
Reply invalid_parameter(std::string_view parameter) {
    return error_reply("InvalidParameter", "parameter", parameter);
}
Reply expected_more() {
    return error_reply("ExpectedMore", "", "");
}

}  // namespace stillboot::protocol
