// SPDX-License-Identifier: Apache-2.0
// The JSON forms that are not field by field, and the instantiations of all of them.
#include "daemon/protocol/json.hpp"

#include <algorithm>
#include <utility>

#include "config/base/planted_defect.hpp"
#include "config/base/utf8.hpp"
#include "daemon/protocol/descriptions.hpp"

namespace stillboot::protocol {
namespace {

constexpr std::size_t max_json_depth = 24;

}  // namespace

bool Reader::read_text(const boost::json::value& json, std::string& out) {
    const auto* text = json.if_string();
    if (text == nullptr || text->find('\0') != boost::json::string::npos) {
        return fail("daemon.field_invalid");
    }
    out.assign(text->data(), text->size());
    return true;
}

bool Reader::refuse_unknown(const boost::json::object& object, const std::string_view* names, std::size_t count) {
    if (unknown_ == UnknownFields::ignore) {
        return true;
    }
    for (const auto& member : object) {
        if (std::find(names, names + count, std::string_view(member.key())) == names + count) {
            enter(valid_utf8(member.key()));
            return fail("daemon.field_unknown");
        }
    }
    return true;
}

boost::json::value Custom<Parameters>::write(const Parameters& parameters) {
    boost::json::object object;
    for (const auto& param : parameters.list) {
        object.emplace(valid_utf8(param.name), valid_utf8(param.value));
    }
    return boost::json::value(std::move(object));
}

bool Custom<Parameters>::read(Reader& reader, const boost::json::value& json, Parameters& out) {
    const auto* object = json.if_object();
    if (object == nullptr) {
        return reader.fail("daemon.field_invalid");
    }
    for (const auto& member : *object) {
        std::string value;
        if (!reader.read_field(*object, member.key(), value)) {
            return false;
        }
        out.list.emplace_back(std::string_view(member.key()), value);
    }
    return true;
}

boost::json::value Custom<Message>::write(const Message& message) {
    return {{"code", valid_utf8(message.code())},
            {"text", valid_utf8(message.sentence())},
            {"parameters", protocol::write(Parameters{message.params()})}};
}

bool Custom<Message>::read(Reader& reader, const boost::json::value& json, Message& out) {
    const auto* object = json.if_object();
    std::string code;
    std::string text;
    if (object == nullptr) {
        return reader.fail("daemon.field_invalid");
    }
    if (!reader.read_field(*object, "code", code) || !reader.read_field(*object, "text", text)) {
        return false;
    }
    Parameters given;
    const auto* parameters = object->if_contains("parameters");
    if (parameters == nullptr || !parameters->is_object()) {
        return reader.fail(parameters == nullptr ? "daemon.field_missing" : "daemon.field_invalid");
    }
    if (catalogue_template(code).empty()) {
        out = Message("daemon.said", {{"text", text}});
        return true;
    }
    if (!reader.read(*parameters, given)) {
        return false;
    }
    out = Message(std::move(code), std::move(given.list));
    return true;
}

boost::json::value Custom<DeviceRef>::write(const DeviceRef& reference) {
    if (reference.is_self()) {
        return {};
    }
    boost::json::object object;
    object.emplace(to_word(reference.kind), valid_utf8(reference.value));
    return boost::json::value(std::move(object));
}

bool Custom<DeviceRef>::read(Reader& reader, const boost::json::value& json, DeviceRef& out) {
    out = DeviceRef();
    if (json.is_null()) {
        return true;
    }
    const auto* object = json.if_object();
    if (object == nullptr) {
        return reader.fail("daemon.field_invalid");
    }
    using Kind = DeviceRef::Kind;
    for (const Kind kind : {Kind::uuid, Kind::label, Kind::partuuid, Kind::partlabel, Kind::id}) {
        std::optional<std::string> value;
        if (!reader.read_field(*object, to_word(kind), value)) {
            return false;
        }
        if (value) {
            if (!out.is_self()) {
                return reader.fail("daemon.field_invalid");
            }
            out.kind = kind;
            out.value = std::move(*value);
        }
    }
    return true;
}

boost::json::value Custom<Resource>::write(const Resource& resource) {
    boost::json::object object;
    if (resource.url.empty()) {
        object.emplace("path", valid_utf8(resource.path));
        object.emplace("device", Custom<DeviceRef>::write(resource.device));
    } else {
        object.emplace("url", valid_utf8(resource.url));
    }
    if (!resource.sha256.empty()) {
        object.emplace("sha256", valid_utf8(resource.sha256));
    }
    return boost::json::value(std::move(object));
}

bool Custom<Resource>::read(Reader& reader, const boost::json::value& json, Resource& out) {
    const auto* object = json.if_object();
    if (object == nullptr) {
        return reader.fail("daemon.field_invalid");
    }
    std::optional<std::string> path;
    std::optional<std::string> url;
    std::optional<std::string> sha256;
    std::optional<DeviceRef> device;
    if (!reader.read_field(*object, "path", path) || !reader.read_field(*object, "url", url) ||
        !reader.read_field(*object, "device", device) || !reader.read_field(*object, "sha256", sha256)) {
        return false;
    }
    if (path.has_value() == url.has_value()) {
        return reader.fail("daemon.field_invalid");
    }
    out.path = path.value_or("");
    out.url = url.value_or("");
    out.device = device.value_or(DeviceRef());
    out.sha256 = sha256.value_or("");
    return true;
}

boost::json::value Custom<ScanResult>::write(const ScanResult& result) {
    boost::json::object object;
    if (const auto* options = std::get_if<std::vector<BootOption>>(&result.finding)) {
        object.emplace("options", protocol::write(*options));
    } else if (const auto* container = std::get_if<Container>(&result.finding)) {
        object.emplace("container", protocol::write(*container));
    } else {
        object.emplace("nothing", protocol::write(std::get<stillboot::Nothing>(result.finding).reason));
    }
    object.emplace("diagnostics", protocol::write(result.diagnostics));
    if (!result.named.empty()) {
        object.emplace("named", protocol::write(result.named));
    }
    return boost::json::value(std::move(object));
}

bool Custom<ScanResult>::read(Reader& reader, const boost::json::value& json, ScanResult& out) {
    const auto* object = json.if_object();
    if (object == nullptr) {
        return reader.fail("daemon.field_invalid");
    }
    std::optional<std::vector<BootOption>> options;
    std::optional<Container> container;
    std::optional<Message> nothing;
    std::optional<std::vector<NamedFile>> named;
    if (!reader.read_field(*object, "options", options) || !reader.read_field(*object, "container", container) ||
        !reader.read_field(*object, "nothing", nothing) ||
        !reader.read_field(*object, "diagnostics", out.diagnostics) ||
        !reader.read_field(*object, "named", named)) {
        return false;
    }
    if (int{options.has_value()} + int{container.has_value()} + int{nothing.has_value()} != 1 && !planted_defect) {
        return reader.fail("daemon.field_invalid");
    }
    out.named = std::move(named).value_or(std::vector<NamedFile>());
    if (options) {
        out.finding = std::move(*options);
    } else if (container) {
        out.finding = std::move(*container);
    } else {
        out.finding = stillboot::Nothing{std::move(*nothing)};
    }
    return true;
}

template <class T>
boost::json::value to_json(const T& value) {
    return write(value);
}

template <class T>
Result<T> from_json(const boost::json::value& json, UnknownFields unknown) {
    Reader reader(unknown);
    T out{};
    if (!reader.read(json, out)) {
        return reader.error();
    }
    return out;
}

Result<boost::json::value> parse_json(std::string_view text, boost::json::storage_ptr memory) {
    boost::json::parse_options options;
    options.max_depth = max_json_depth;
    boost::system::error_code failure;
    auto value = boost::json::parse(text, failure, std::move(memory), options);
    if (failure) {
        return Error("daemon.not_json", {{"reason", failure.message()}});
    }
    return value;
}

#define STILLBOOT_JSON(T)                             \
    template boost::json::value to_json<T>(const T&); \
    template Result<T> from_json<T>(const boost::json::value&, UnknownFields);
STILLBOOT_JSON(Message)
STILLBOOT_JSON(Diagnostic)
STILLBOOT_JSON(DeviceId)
STILLBOOT_JSON(DeviceRef)
STILLBOOT_JSON(Resource)
STILLBOOT_JSON(BootOption)
STILLBOOT_JSON(ScanResult)
STILLBOOT_JSON(Option)
STILLBOOT_JSON(Device)
STILLBOOT_JSON(Progress)
STILLBOOT_JSON(State)
STILLBOOT_JSON(Change)
STILLBOOT_JSON(LogLine)
STILLBOOT_JSON(Nothing)
STILLBOOT_JSON(GetState::Reply)
STILLBOOT_JSON(ListOptions::Reply)
STILLBOOT_JSON(ListDevices::Reply)
STILLBOOT_JSON(Watch::Reply)
STILLBOOT_JSON(GetLog::Reply)
STILLBOOT_JSON(From)
STILLBOOT_JSON(ListClients::Reply)
STILLBOOT_JSON(Boot::Parameters)
STILLBOOT_JSON(Boot::Reply)
STILLBOOT_JSON(Cancel::Parameters)
STILLBOOT_JSON(Cancel::Reply)
STILLBOOT_JSON(Reboot::Parameters)
STILLBOOT_JSON(PowerOff::Parameters)
STILLBOOT_JSON(QuiescePlan)
STILLBOOT_JSON(GetQuiescePlan::Reply)
STILLBOOT_JSON(GetReport::Reply)
STILLBOOT_JSON(ListAttempts::Reply)
STILLBOOT_JSON(GetSystem::Reply)
STILLBOOT_JSON(GetTimes::Reply)
STILLBOOT_JSON(GetSettings::Reply)
STILLBOOT_JSON(SetSetting::Parameters)
STILLBOOT_JSON(SetSetting::Reply)
STILLBOOT_JSON(UnlockConsole::Parameters)
STILLBOOT_JSON(SetTimeout::Parameters)
STILLBOOT_JSON(AddConfiguration::Parameters)
STILLBOOT_JSON(AddConfiguration::Reply)
STILLBOOT_JSON(OpenDevice::Parameters)
STILLBOOT_JSON(WaitForNetwork::Parameters)
STILLBOOT_JSON(SetDefault::Parameters)
STILLBOOT_JSON(SetDefault::Reply)
STILLBOOT_JSON(Rescan::Parameters)
STILLBOOT_JSON(std::vector<BootOption>)
STILLBOOT_JSON(std::vector<Diagnostic>)
STILLBOOT_JSON(std::vector<std::string>)
#undef STILLBOOT_JSON

}  // namespace stillboot::protocol
