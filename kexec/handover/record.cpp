// SPDX-License-Identifier: Apache-2.0
// The record of a hand-over as JSON.
#include "kexec/handover/record.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "config/base/utf8.hpp"
#include "kexec/handover/record_json.hpp"
#include "quiesce/json.hpp"

namespace stillboot::handover {
namespace {

namespace json = boost::json;

constexpr std::int64_t max_attempt = 1000;

// Boost.JSON's conversions report what does not fit by an error code.
std::vector<std::string> texts_in(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    const auto texts = json::try_value_to<std::vector<std::string>>(value == nullptr ? json::value() : *value);
    return texts ? *texts : std::vector<std::string>();
}

json::array to_json(const std::vector<Volume>& volumes) {
    json::array out;
    for (const Volume& volume : volumes) {
        out.push_back(
            json::object{{"kind", volume.kind}, {"name", volume.name}, {"on", json::value_from(volume.on)}});
    }
    return out;
}

std::vector<Volume> volumes_in(const json::object& object) {
    std::vector<Volume> out;
    const json::value* const value = object.if_contains("volumes");
    if (value == nullptr || !value->is_array()) {
        return out;
    }
    for (const json::value& each : value->get_array()) {
        if (const json::object* const volume = each.if_object()) {
            out.push_back({text_in(*volume, "kind"), text_in(*volume, "name"), texts_in(*volume, "on")});
        }
    }
    return out;
}

json::value to_json(const quiesce::BlockPlace& place) {
    return json::object{{"disk", place.disk}, {"wwid", place.wwid}, {"partition", place.partition}};
}

quiesce::BlockPlace place_in(const json::object& object) {
    const json::value* const value = object.if_contains("place");
    const json::object* const place = value == nullptr ? nullptr : value->if_object();
    return place == nullptr ? quiesce::BlockPlace()
                            : quiesce::BlockPlace{text_in(*place, "disk"), text_in(*place, "wwid"),
                                                  text_in(*place, "partition")};
}

json::value to_json(const std::optional<Try>& counted) {
    if (!counted) {
        return {};
    }
    const EntryFile& file = counted->file;
    return json::object{{"node", file.node},           {"device_by", to_word(file.device.kind)},
                        {"device", file.device.value}, {"filesystem", file.filesystem},
                        {"directory", file.directory}, {"name", file.name},
                        {"after", counted->after},     {"place", to_json(file.place)}};
}

std::optional<Try> try_in(const json::object& object) {
    const json::value* const value = object.if_contains("counted");
    const json::object* const counted = value == nullptr ? nullptr : value->if_object();
    if (counted == nullptr) {
        return std::nullopt;
    }
    Try out;
    out.file.node = text_in(*counted, "node");
    const std::string by = text_in(*counted, "device_by");
    for (const auto kind : {DeviceRef::Kind::partuuid, DeviceRef::Kind::uuid}) {
        if (by == to_word(kind)) {
            out.file.device = {kind, text_in(*counted, "device")};
        }
    }
    out.file.filesystem = text_in(*counted, "filesystem");
    out.file.directory = text_in(*counted, "directory");
    out.file.name = text_in(*counted, "name");
    out.file.place = place_in(*counted);
    out.after = text_in(*counted, "after");
    return out.file.name.empty() || out.after.empty() ? std::nullopt : std::optional(std::move(out));
}

}  // namespace

std::string text_in(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    const json::string* const text = value == nullptr ? nullptr : value->if_string();
    return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

bool flag_in(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

json::value to_json(const std::optional<Choice>& choice) {
    return choice ? json::value(json::object{{"option", choice->option_id}, {"title", choice->title}})
                  : json::value();
}

std::optional<Choice> choice_in(const json::object& object, std::string_view name) {
    const json::value* const value = object.if_contains(name);
    const json::object* const choice = value == nullptr ? nullptr : value->if_object();
    if (choice == nullptr || text_in(*choice, "option").empty()) {
        return std::nullopt;
    }
    return Choice{text_in(*choice, "option"), text_in(*choice, "title")};
}

json::value to_json(const Record& record) {
    json::object object;
    object["format"] = Record::format_version;
    object["boot_id"] = record.boot_id;
    object["option"] = record.option_id;
    object["title"] = record.title;
    object["args"] = record.command_line;
    object["initrds"] = json::value_from(record.overrides.initrds);
    object["devicetree"] = record.overrides.devicetree ? json::value(*record.overrides.devicetree) : json::value();
    object["step"] = to_word(record.step);
    object["attempt"] = record.attempt;
    object["retry"] = record.retry;
    object["store_gone"] = record.store_gone;
    object["volumes"] = to_json(record.volumes);
    object["watchdog"] = record.watchdog;
    object["one_shot"] = to_json(record.one_shot);
    object["entry_once"] = record.entry_once ? json::value(*record.entry_once) : json::value();
    object["counted"] = to_json(record.counted);
    object["began"] = record.began;
    object["devices"] = quiesce::to_json(record.devices);
    return object;
}

std::string to_text(const Record& record) {
    return valid_utf8(json::serialize(to_json(record)));  // a name from outside may be any bytes
}

Result<Record> record_from_text(std::string_view text) {
    boost::system::error_code failure;
    const json::value value = json::parse(text, failure);
    return failure ? Error("handover.record_damaged") : record_from_json(value);
}

Result<std::optional<Record>> left_over(quiesce::StateStore& run_store, const Root& root) {
    const auto text = run_store.read();
    if (!text) {
        return text.error();
    }
    if (!text->has_value()) {
        return std::optional<Record>();
    }
    auto record = record_from_text(**text);
    if (!record) {
        return record.error();
    }
    const bool is_ours = record->boot_id == quiesce::current_boot_id(root);
    return is_ours ? std::optional<Record>(std::move(*record)) : std::nullopt;
}

std::string held_device(quiesce::StateStore& run_store, const Root& root) {
    const auto earlier = left_over(run_store, root);
    return earlier && *earlier && !(*earlier)->devices.hung.empty() ? (*earlier)->devices.hung.front()
                                                                    : std::string();
}

Result<Record> record_from_json(const json::value& value) {
    const json::object* const object = value.if_object();
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
    const json::value* const attempt = object->if_contains("attempt");
    if (record.boot_id.empty() || !step || devices == nullptr || attempt == nullptr || !attempt->is_int64()) {
        return Error("handover.record_damaged");
    }
    record.step = *step;
    record.attempt = static_cast<unsigned>(std::clamp<std::int64_t>(attempt->get_int64(), 1, max_attempt));
    record.retry = flag_in(*object, "retry");
    record.store_gone = flag_in(*object, "store_gone");
    record.volumes = volumes_in(*object);
    record.watchdog = flag_in(*object, "watchdog");
    record.one_shot = choice_in(*object, "one_shot");
    if (auto entry = text_in(*object, "entry_once"); !entry.empty()) {
        record.entry_once = std::move(entry);
    }
    record.counted = try_in(*object);
    record.overrides.initrds = texts_in(*object, "initrds");
    if (auto devicetree = text_in(*object, "devicetree"); !devicetree.empty()) {
        record.overrides.devicetree = std::move(devicetree);
    }
    const json::value* const began = object->if_contains("began");
    record.began = began != nullptr && began->is_int64() ? began->get_int64() : 0;
    auto undo = quiesce::record_from_json(*devices);
    if (!undo) {
        return undo.error();
    }
    record.devices = std::move(*undo);
    return record;
}

}  // namespace stillboot::handover
