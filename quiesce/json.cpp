// SPDX-License-Identifier: Apache-2.0
// Values of this room to JSON, and the record back.
#include "quiesce/json.hpp"

#include <boost/json.hpp>

namespace stillboot::quiesce {
namespace {

namespace json = boost::json;

json::value message_json(const Message& message) {
    json::object parameters;
    for (const auto& param : message.params()) {
        parameters[param.name] = param.value;
    }
    return json::object{{"code", message.code()}, {"text", message.sentence()}, {"parameters", parameters}};
}

template <class Items, class Encode>
json::array array_of(const Items& items, Encode encode) {
    json::array out;
    for (const auto& item : items) {
        out.push_back(encode(item));
    }
    return out;
}

json::array strings_json(const std::vector<std::string>& strings) {
    return json::array(strings.begin(), strings.end());
}

json::object step_json(const PlanStep& step) {
    return {{"action", to_word(step.action)},
            {"path", step.path},
            {"name", step.name},
            {"bus", step.bus},
            {"driver", step.driver},
            {"reason", message_json(step.reason)},
            {"rule", step.rule},
            {"deadline_s", step.deadline.count()},
            {"stage", step.stage},
            {"refused", step.refused}};
}

json::value device_json(const RecordedDevice& device) {
    return json::object{{"path", device.path},     {"name", device.name},         {"bus", device.bus},
                        {"driver", device.driver}, {"identity", device.identity}, {"modalias", device.modalias}};
}

json::value disk_json(const RecordedDisk& disk) {
    return json::object{
        {"name", disk.name}, {"identity", disk.identity}, {"wwid", disk.wwid}, {"sectors", disk.sectors}};
}

json::value interface_json(const RecordedInterface& interface) {
    return json::object{{"name", interface.name},
                        {"identity", interface.identity},
                        {"address", interface.address},
                        {"up", interface.up},
                        {"carrier", interface.carrier}};
}

// Reading. Boost.JSON's at() and as_*() throw; record_from_json() catches at the border.
std::string text_of(const json::object& object, std::string_view key) {
    return std::string(object.at(key).as_string());
}

std::string string_from(const json::value& value) {
    return std::string(value.as_string());
}

RecordedDevice device_from(const json::value& value) {
    const auto& object = value.as_object();
    return {text_of(object, "path"),   text_of(object, "name"),     text_of(object, "bus"),
            text_of(object, "driver"), text_of(object, "identity"), text_of(object, "modalias")};
}

RecordedDisk disk_from(const json::value& value) {
    const auto& object = value.as_object();
    return {text_of(object, "name"), text_of(object, "identity"), text_of(object, "wwid"),
            object.at("sectors").to_number<std::uint64_t>()};
}

RecordedInterface interface_from(const json::value& value) {
    const auto& object = value.as_object();
    return {text_of(object, "name"), text_of(object, "identity"), text_of(object, "address"),
            object.at("up").as_bool(), object.at("carrier").as_bool()};
}

template <class T, class Decode>
std::vector<T> vector_from(const json::value& value, Decode decode) {
    std::vector<T> out;
    for (const auto& item : value.as_array()) {
        out.push_back(decode(item));
    }
    return out;
}

UndoRecord parse_record(const json::object& object) {
    UndoRecord record;
    record.boot_id = text_of(object, "boot_id");
    if (!object.at("printk_devkmsg").is_null()) {
        record.printk_devkmsg = text_of(object, "printk_devkmsg");
    }
    record.udev_stopped = object.at("udev_stopped").as_bool();
    for (const auto& [bus, text] : object.at("autoprobe").as_object()) {
        record.autoprobe[bus] = std::string(text.as_string());
    }
    record.newest = object.at("newest").to_number<std::uint64_t>();
    for (const auto& [path, count] : object.at("virtual_functions").as_object()) {
        record.virtual_functions[path] = count.to_number<std::uint32_t>();
    }
    record.unbound = vector_from<RecordedDevice>(object.at("unbound"), device_from);
    record.in_flight = vector_from<std::string>(object.at("in_flight"), string_from);
    record.hung = vector_from<std::string>(object.at("hung"), string_from);
    record.followers = vector_from<RecordedDevice>(object.at("followers"), device_from);
    record.disks = vector_from<RecordedDisk>(object.at("disks"), disk_from);
    record.interfaces = vector_from<RecordedInterface>(object.at("interfaces"), interface_from);
    return record;
}

}  // namespace

json::value to_json(const Verification& verification) {
    return json::object{{"at_rest", verification.at_rest()},
                        {"only_reports", verification.only_reports},
                        {"verdicts", array_of(verification.verdicts, [](const Verdict& verdict) {
                             return json::value(json::object{{"path", verdict.path},
                                                             {"name", verdict.name},
                                                             {"driver", verdict.driver},
                                                             {"verdict", to_word(verdict.rest)},
                                                             {"why", message_json(verdict.why)}});
                         })}};
}

json::value to_json(const UndoReport& report) {
    return json::object{{"complete", report.complete()},
                        {"bound", strings_json(report.bound)},
                        {"not_back", array_of(report.not_back, message_json)},
                        {"notes", array_of(report.notes, message_json)}};
}

json::value to_json(const std::vector<StepOutcome>& outcomes) {
    return array_of(outcomes, [](const StepOutcome& outcome) {
        json::object object = step_json(outcome.step);
        object["end"] = to_word(outcome.end);
        object["took_ms"] = outcome.took.count();
        return json::value(object);
    });
}

json::value to_json(const UndoRecord& record) {
    json::object autoprobe;
    for (const auto& [bus, text] : record.autoprobe) {
        autoprobe[bus] = text;
    }
    json::object functions;
    for (const auto& [path, count] : record.virtual_functions) {
        functions[path] = count;
    }
    return json::object{
        {"version", UndoRecord::format_version},
        {"boot_id", record.boot_id},
        {"printk_devkmsg", record.printk_devkmsg ? json::value(*record.printk_devkmsg) : json::value()},
        {"udev_stopped", record.udev_stopped},
        {"autoprobe", autoprobe},
        {"newest", record.newest},
        {"virtual_functions", functions},
        {"unbound", array_of(record.unbound, device_json)},
        {"in_flight", strings_json(record.in_flight)},
        {"hung", strings_json(record.hung)},
        {"followers", array_of(record.followers, device_json)},
        {"disks", array_of(record.disks, disk_json)},
        {"interfaces", array_of(record.interfaces, interface_json)}};
}

Result<UndoRecord> record_from_json(const json::value& value) {
    try {
        const auto& object = value.as_object();
        const auto version = object.at("version").to_number<int>();
        if (version > UndoRecord::format_version) {
            return Error("quiesce.record_newer", {{"version", version}});
        }
        return parse_record(object);
    } catch (const std::exception& exception) {
        return Error("quiesce.record_damaged", {{"reason", exception.what()}});
    }
}

}  // namespace stillboot::quiesce
