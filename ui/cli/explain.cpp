// SPDX-License-Identifier: Apache-2.0
// Scanning directories offline, and the forms of the answer.
#include "ui/cli/explain.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "config/parse/scan_file_system.hpp"
#include "config/resolve/resolve.hpp"

namespace stillboot::cli {
namespace {

namespace json = boost::json;

Result<DirectorySource::FileSystem> open_place(const ExplainOrder::Place& place) {
    auto root = Root::open(place.path);
    if (!root) {
        return Error("cli.no_such_path", {{"path", place.path}});
    }
    return DirectorySource::FileSystem{place.device, std::move(*root)};
}

std::optional<Message> waiting_for(const BootOption& option, const ExplainOrder& order) {
    std::vector<DeviceId> devices;
    for (const ExplainOrder::Place& place : order.others) {
        devices.push_back(place.device);
    }
    const auto resolved = resolve_option(option, order.own.device, devices);
    return resolved ? std::nullopt : std::optional(resolved.error().message());
}

json::value resource_json(const Resource& resource, const DeviceId& own) {
    if (!resource.url.empty()) {
        return json::object{{"url", resource.url}};
    }
    json::value device = nullptr;
    if (!resource.device.is_self() && !names_device(resource.device, own)) {
        device = json::object{{to_word(resource.device.kind), resource.device.value}};
    }
    return json::object{{"path", resource.path}, {"device", std::move(device)}};
}

json::value option_json(const BootOption& option, const ExplainOrder& order) {
    const DeviceId& own = order.own.device;
    json::array initrds;
    for (const Resource& initrd : option.initrds) {
        initrds.push_back(resource_json(initrd, own));
    }
    json::object out;
    out["id"] = option.id;
    out["title"] = option.title;
    out["submenus"] = json::array(option.submenus.begin(), option.submenus.end());
    out["kernel"] = resource_json(option.kernel, own);
    out["initrds"] = std::move(initrds);
    out["devicetree"] = option.devicetree ? resource_json(*option.devicetree, own) : json::value(nullptr);
    out["args"] = option.args;
    out["version"] = option.version;
    out["default"] = option.is_default;
    const auto reason = waiting_for(option, order);
    out["state"] = reason ? "waiting" : "ready";
    if (reason) {
        out["reason"] = reason->sentence();
    }
    out["source"] =
        json::object{{"format", option.source.format}, {"file", option.source.file}, {"line", option.source.line}};
    return out;
}

json::value diagnostic_json(const Diagnostic& diagnostic) {
    return json::object{{"file", diagnostic.file},
                        {"line", diagnostic.line},
                        {"column", diagnostic.column},
                        {"severity", to_word(diagnostic.severity)},
                        {"message", diagnostic.message.sentence()},
                        {"code", diagnostic.message.code()}};
}

const std::vector<BootOption>* options_of(const ScanResult& result) {
    return std::get_if<std::vector<BootOption>>(&result.finding);
}

std::string reason_of(const ScanResult& result) {
    if (const auto* container = std::get_if<Container>(&result.finding)) {
        return container->reason.sentence();
    }
    const auto* nothing = std::get_if<Nothing>(&result.finding);
    return nothing == nullptr ? "" : nothing->reason.sentence();
}

std::string resource_text(const Resource& resource, const DeviceId& own) {
    if (!resource.url.empty()) {
        return resource.url;
    }
    if (resource.device.is_self() || names_device(resource.device, own)) {
        return resource.path;
    }
    return resource.path + " on " + std::string(to_word(resource.device.kind)) + " " + resource.device.value;
}

void print_option(const Context& context, const BootOption& option, const ExplainOrder& order) {
    const DeviceId& own = order.own.device;
    std::string title;
    for (const std::string& submenu : option.submenus) {
        title += submenu + " > ";
    }
    context.line((option.is_default ? "* " : "  ") + title + option.title);
    context.line("    id:      " + option.id);
    context.line("    from:    " + option.source.file + ":" + std::to_string(option.source.line));
    context.line("    kernel:  " + resource_text(option.kernel, own));
    for (const Resource& initrd : option.initrds) {
        context.line("    initrd:  " + resource_text(initrd, own));
    }
    if (option.devicetree) {
        context.line("    devicetree: " + resource_text(*option.devicetree, own));
    }
    context.line("    args:    " + option.args);
    if (const auto reason = waiting_for(option, order)) {
        context.line("    waits:   " + reason->sentence());
    }
}

}  // namespace

Result<ExplainOrder::Place> parse_also(const std::string& text) {
    const Error refused("cli.also", {{"text", text}});
    // The directory may hold colons; the names after the last one may not.
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) {
        return refused;
    }
    ExplainOrder::Place place;
    place.path = text.substr(0, colon);
    std::string_view rest = std::string_view(text).substr(colon + 1);
    while (!rest.empty()) {
        const std::string_view item = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(item.size() + 1, rest.size()));
        const std::size_t equals = item.find('=');
        const std::string_view key = item.substr(0, equals);
        const std::string value(equals == item.npos ? "" : item.substr(equals + 1));
        std::string* field = key == "uuid"     ? &place.device.uuid
                             : key == "label"  ? &place.device.label
                             : key == "device" ? &place.device.id
                                               : nullptr;
        if (field == nullptr || value.empty()) {
            return refused;
        }
        *field = value;
    }
    complete_id(place.device);
    return place.device.id.empty() ? Result<ExplainOrder::Place>(refused) : place;
}

void complete_id(DeviceId& device) {
    if (device.id.empty()) {
        device.id = device.uuid.empty() ? device.label : device.uuid;
    }
}

Result<std::vector<DirectorySource::FileSystem>> open_others(const ExplainOrder& order) {
    std::vector<DirectorySource::FileSystem> others;
    for (const ExplainOrder::Place& place : order.others) {
        auto other = open_place(place);
        if (!other) {
            return other.error();
        }
        others.push_back(std::move(*other));
    }
    return others;
}

Result<ScanResult> scan_directory(const ExplainOrder& order) {
    auto own = open_place(order.own);
    if (!own) {
        return own.error();
    }
    auto others = open_others(order);
    if (!others) {
        return others.error();
    }
    DirectorySource source(std::move(*own), std::move(*others));
    return scan_file_system(source);
}

boost::json::value explain_json(const ScanResult& result, const ExplainOrder& order) {
    json::array options;
    if (const auto* found = options_of(result)) {
        for (const BootOption& option : *found) {
            options.push_back(option_json(option, order));
        }
    }
    json::array diagnostics;
    for (const Diagnostic& diagnostic : result.diagnostics) {
        diagnostics.push_back(diagnostic_json(diagnostic));
    }
    json::object out;
    out["options"] = std::move(options);
    out["diagnostics"] = std::move(diagnostics);
    if (const std::string reason = reason_of(result); !reason.empty()) {
        out["reason"] = reason;
    }
    return out;
}

void print_explanation(const Context& context, const ScanResult& result, const ExplainOrder& order) {
    if (const auto* found = options_of(result)) {
        for (const BootOption& option : *found) {
            print_option(context, option, order);
        }
    } else {
        context.line(order.own.path + ": " + reason_of(result));
    }
    for (const Diagnostic& diagnostic : result.diagnostics) {
        context.line(diagnostic.text());
    }
}

}  // namespace stillboot::cli
