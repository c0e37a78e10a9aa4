// SPDX-License-Identifier: Apache-2.0
// `search` and `probe`: from what a configuration knows of a device to a name for it, and back.
#include <strings.h>

#include <algorithm>

#include "config/parse/grub/evaluator.hpp"
#include "config/parse/grub/options.hpp"
#include "config/parse/grub/place.hpp"

namespace stillboot::grub {
namespace {

using Value = OptionSpec::Value;

constexpr OptionSpec search_options[] = {
    {"file", 'f', Value::none},
    {"label", 'l', Value::none},
    {"fs-uuid", 'u', Value::none},
    {"set", 's', Value::optional},
    {"no-floppy", 'n', Value::none},
    {"efidisk-only", '\0', Value::none},
    // Fedora's and GRUB 2.12's: they narrow a search down, among devices that have no such names here.
    {"root-dev-only", '\0', Value::none},
    {"cryptodisk-only", '\0', Value::none},
    {"hint", 'h', Value::required},
    {"hint-ieee1275", '\0', Value::required},
    {"hint-bios", '\0', Value::required},
    {"hint-baremetal", '\0', Value::required},
    {"hint-efi", '\0', Value::required},
    {"hint-arc", '\0', Value::required},
};

constexpr OptionSpec probe_options[] = {
    {"set", 's', Value::required},    {"driver", 'd', Value::none},  {"partmap", 'p', Value::none},
    {"fs", 'f', Value::none},         {"fs-uuid", 'u', Value::none}, {"label", 'l', Value::none},
    {"part-uuid", '\0', Value::none},
};

std::string_view value_of(const DeviceId& device, DeviceRef::Kind kind) {
    switch (kind) {
        case DeviceRef::Kind::uuid: return device.uuid;
        case DeviceRef::Kind::label: return device.label;
        case DeviceRef::Kind::partuuid: return device.partuuid;
        default: return {};
    }
}

}  // namespace

// A reference is resolved on its own disk first: a copied disk carries the same UUID, and each copy means itself.
DeviceRef Evaluator::reference(DeviceRef::Kind kind, std::string_view value) const {
    DeviceRef out{kind, std::string(value)};
    return names_device(out, source_.self()) ? DeviceRef() : out;
}

bool Evaluator::present(const DeviceRef& device) {
    if (device.is_self()) {
        return true;
    }
    const auto [known, fresh] = present_.try_emplace(device_name(device), false);
    if (fresh) {
        known->second = source_.present(device);
    }
    return known->second;
}

// The variable gets a name for the device even where there is none now, so that the options can wait for it.
int Evaluator::search_for(const Call& call, std::string_view kind, std::string_view what,
                          std::string_view variable) {
    if (what.empty()) {
        report(Severity::warning, call, Message("grub.bad_arguments", {{"command", call.arguments[0]}}));
        return status::bad_argument;
    }
    DeviceRef device;
    bool there = true;
    if (kind == "file") {
        const auto devices = source_.devices_with_file(what);
        if (devices.empty()) {
            report(Severity::warning, call, Message("grub.search_no_file", {{"file", what}}));
            return status::no_device;
        }
        device = devices.front();
    } else {
        device = reference(kind == "label" ? DeviceRef::Kind::label : DeviceRef::Kind::uuid, what);
        const std::size_t asked = present_.size();
        there = present(device);
        // Every entry searches for the same: once is enough.
        if (!there && present_.size() > asked) {
            report(Severity::note, call,
                   Message("config.device_missing", {{"kind", to_word(device.kind)}, {"value", what}}));
        }
    }
    if (!variable.empty()) {
        const int set = set_variable(call, variable, device_name(device));
        return set != status::ok || there ? set : status::no_device;
    }
    return there ? status::ok : status::no_device;
}

int Evaluator::do_search(const Call& call) {
    // search.fs_uuid NAME [VARIABLE [HINT…]] is the form of early configurations.
    const std::string_view command = call.arguments[0];
    if (const std::size_t dot = command.find('.'); dot != command.npos) {
        const std::string_view kind = command.substr(dot + 1);
        return search_for(call, kind == "fs_label" ? "label" : kind,
                          call.arguments.size() > 1 ? call.arguments[1] : "",
                          call.arguments.size() > 2 ? call.arguments[2] : "");
    }
    CommandOptions options = read_options(call.arguments, search_options);
    std::string_view variable;
    if (options.has("set")) {
        variable = options.value("set");
        // "--set VARIABLE NAME", without the equals sign.
        if (variable.empty() && options.rest.size() > 1) {
            variable = options.rest[0];
            options.rest.erase(options.rest.begin());
        }
        variable = variable.empty() ? "root" : variable;
    }
    const std::string_view kind = options.has("label")     ? "label"
                                  : options.has("fs-uuid") ? "fs_uuid"
                                  : options.has("file")    ? "file"
                                                           : "";
    if (kind.empty() || !options.unknown.empty()) {
        report(Severity::warning, call, Message("grub.bad_arguments", {{"command", command}}));
        return status::bad_argument;
    }
    return search_for(call, kind, options.rest.empty() ? "" : options.rest[0], variable);
}

int Evaluator::do_probe(const Call& call) {
    const CommandOptions options = read_options(call.arguments, probe_options);
    if (options.rest.empty() || !options.unknown.empty()) {
        report(Severity::warning, call, Message("grub.bad_arguments", {{"command", call.arguments[0]}}));
        return status::bad_argument;
    }
    const std::string_view name = split_file_name(options.rest[0]).device.value_or(options.rest[0]);
    const auto device = device_named(name);
    if (!device) {
        report(Severity::warning, call,
               Message("grub.unknown_device", {{"device", name}, {"file", options.rest[0]}}));
        return status::no_device;
    }
    const auto kind = options.has("fs-uuid")     ? DeviceRef::Kind::uuid
                      : options.has("label")     ? DeviceRef::Kind::label
                      : options.has("part-uuid") ? DeviceRef::Kind::partuuid
                                                 : DeviceRef::Kind::self;
    const std::string value(device->kind == kind && !device->is_self() ? std::string_view(device->value)
                            : device->is_self()                        ? value_of(source_.self(), kind)
                                                                       : std::string_view());
    if (value.empty()) {
        report(Severity::note, call, Message("grub.probe_unknown", {{"device", options.rest[0]}}));
        return status::failed;
    }
    if (options.has("set")) {
        return set_variable(call, options.value("set"), value);
    }
    print(value + "\n");
    return status::ok;
}

}  // namespace stillboot::grub
