// SPDX-License-Identifier: Apache-2.0
// The record of a hand-over as JSON.
#include "kexec/handover/record.hpp"

#include <boost/json.hpp>

#include "quiesce/json.hpp"

namespace stillboot::handover {
namespace {

namespace json = boost::json;

// Empty where there is no string of that name.
std::string text_in(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    const json::string* const text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

}  // namespace

std::string to_text(const Record& record) {
    json::object object;
    object["format"] = Record::format_version;
    object["boot_id"] = record.boot_id;
    object["option"] = record.option_id;
    object["title"] = record.title;
    object["args"] = record.command_line;
    object["step"] = to_word(record.step);
    object["devices"] = quiesce::to_json(record.devices);
    return json::serialize(object);
}

Result<Record> record_from_text(std::string_view text) {
    boost::system::error_code failure;
    const json::value value = json::parse(text, failure);
    const json::object* const object = failure ? nullptr : value.if_object();
    if (object == nullptr) {
        return Error("handover.record_damaged");
    }
    const json::value* const format = object->if_contains("format");
    if (format == nullptr || !format->is_int64() || format->get_int64() < 1) {
        return Error("handover.record_damaged");
    }
    if (format->get_int64() > Record::format_version) {
        return Error("handover.record_newer", {{"format", std::int64_t{format->get_int64()}}});
    }
    Record record;
    record.boot_id = text_in(*object, "boot_id");
    record.option_id = text_in(*object, "option");
    record.title = text_in(*object, "title");
    record.command_line = text_in(*object, "args");
    const auto step = step_from_word(text_in(*object, "step"));
    const json::value* const devices = object->if_contains("devices");
    if (record.boot_id.empty() || !step || devices == nullptr) {
        return Error("handover.record_damaged");
    }
    record.step = *step;
    auto undo = quiesce::record_from_json(*devices);
    if (!undo) {
        return undo.error();
    }
    record.devices = std::move(*undo);
    return record;
}

}  // namespace stillboot::handover
