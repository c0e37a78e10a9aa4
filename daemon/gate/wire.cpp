// SPDX-License-Identifier: Apache-2.0
// Orders and reports as JSON.
#include "daemon/gate/wire.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "config/base/utf8.hpp"
#include "daemon/protocol/json.hpp"

namespace stillboot::gate {
namespace {

namespace json = boost::json;
constexpr std::array<std::string_view, 4> words = {"listens", "not_listening", "refused", "client"};

Error broken() {
    return Error("daemon.gate_broke_protocol", {{"program", tls_program}});
}

// A text of an object; nothing where it has none of this name.
std::string text_in(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    const json::string* text = value != nullptr ? value->if_string() : nullptr;
    return text != nullptr ? std::string(*text) : std::string();
}

}  // namespace

std::string to_text(const Order& order) {
    json::object object;
    object["addresses"] = json::array(order.addresses.begin(), order.addresses.end());
    object["certificate"] = order.files.certificate;
    object["key"] = order.files.key;
    object["authority"] = order.files.authority;
    return json::serialize(object);
}

std::string to_text(const Report& report) {
    json::object object;
    object["what"] = words.at(static_cast<std::size_t>(report.what));
    object["address"] = valid_utf8(report.address);
    object["reason"] = valid_utf8(report.reason);
    object["name"] = valid_utf8(report.name);
    object["role"] = protocol::to_word(report.role);
    return json::serialize(object);
}

Result<Order> order_of(std::string_view text) {
    const auto parsed = protocol::parse_json(text);
    if (!parsed) {
        return parsed.error();
    }
    const json::object* object = parsed->if_object();
    const json::value* addresses = object != nullptr ? object->if_contains("addresses") : nullptr;
    if (addresses == nullptr || !addresses->is_array()) {
        return broken();
    }
    Order order;
    for (const json::value& each : addresses->get_array()) {
        if (!each.is_string()) {
            return broken();
        }
        order.addresses.emplace_back(each.get_string());
    }
    order.files = {text_in(*object, "certificate"), text_in(*object, "key"), text_in(*object, "authority")};
    return order;
}

Result<Report> report_of(std::string_view text) {
    const auto parsed = protocol::parse_json(text);
    if (!parsed) {
        return parsed.error();
    }
    const json::object* object = parsed->if_object();
    if (object == nullptr) {
        return broken();
    }
    const auto word = std::find(words.begin(), words.end(), text_in(*object, "what"));
    const auto role = protocol::role_of_word(text_in(*object, "role"));
    if (word == words.end() || !role) {
        return broken();
    }
    Report report;
    report.what = static_cast<Report::What>(word - words.begin());
    report.address = text_in(*object, "address");
    report.reason = text_in(*object, "reason");
    report.name = text_in(*object, "name");
    report.role = *role;
    return report;
}

}  // namespace stillboot::gate
