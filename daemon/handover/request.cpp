// SPDX-License-Identifier: Apache-2.0
// From an option to a request that names device nodes.
#include <algorithm>

#include "daemon/handover/booter.hpp"

namespace stillboot::handover {
namespace {

constexpr std::size_t max_file_text_bytes = 4096;

Result<ImageSource> source_of(const registry::Registry& registry, const Resource& resource,
                              const std::string& self) {
    ImageSource source;
    source.path = resource.path;
    source.url = resource.url;
    if (resource.url.empty()) {
        const auto device = registry.resolve(resource.device, self);
        if (!device) {
            return device.error();
        }
        source.node = (*device)->identity.node;
    }
    return source;
}

bool is_one_line(const std::string& text) {
    return std::none_of(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\0'; });
}

// The file of an entry with boot counting: by the specification it is on the device that holds the kernel.
Result<std::optional<EntryFile>> entry_file_of(const registry::Registry& registry,
                                               const protocol::Option& option) {
    const std::string& path = option.source.file;
    const std::size_t slash = path.rfind('/');
    if (!option.tries || slash == path.npos) {
        return std::optional<EntryFile>();
    }
    const auto device = registry.resolve(option.kernel.device, option.device_id);
    if (!device) {
        return device.error();
    }
    const DeviceId& identity = (*device)->identity;
    EntryFile file;
    file.node = identity.node;
    if (!identity.partuuid.empty()) {
        file.device = {DeviceRef::Kind::partuuid, identity.partuuid};
    } else if (!identity.uuid.empty()) {
        file.device = {DeviceRef::Kind::uuid, identity.uuid};
    }
    file.filesystem = (*device)->filesystem;
    file.directory = path.substr(0, slash);
    file.name = path.substr(slash + 1);
    return std::optional(std::move(file));
}

// The device of a text before ":/".
DeviceRef device_of(const registry::Registry& registry, const std::string& text) {
    using Kind = DeviceRef::Kind;
    const std::size_t equals = text.find('=');
    const std::string word = text.substr(0, equals);
    for (const Kind kind : {Kind::uuid, Kind::label, Kind::partuuid, Kind::partlabel}) {
        if (equals != text.npos && word == to_word(kind)) {
            return {kind, text.substr(equals + 1)};
        }
    }
    for (const registry::DeviceRecord* record : registry.records()) {
        if (record->identity.node == text) {
            return {Kind::id, record->identity.id};
        }
    }
    return {Kind::id, text};
}

}  // namespace

Result<Resource> file_of(const registry::Registry& registry, const std::string& text) {
    if (text.find("://") != text.npos) {
        return Error("daemon.no_urls", {{"url", text}});
    }
    const std::size_t colon = text.find(":/");
    Resource file;
    file.path = colon == text.npos ? text : text.substr(colon + 1);
    const bool fits = text.size() <= max_file_text_bytes && is_one_line(text) && colon != 0 &&
                      file.path.starts_with('/') && file.path.size() > 1;
    if (!fits) {
        return Error("daemon.bad_file", {{"text", text.substr(0, max_file_text_bytes)}});
    }
    if (colon != text.npos) {
        file.device = device_of(registry, text.substr(0, colon));
    }
    return file;
}

Result<ImageSource> source_of(const registry::Registry& registry, const std::string& text) {
    const auto file = file_of(registry, text);
    if (!file) {
        return file.error();
    }
    if (!file->device.is_self()) {
        return source_of(registry, *file, "");
    }
    ImageSource source;
    source.path = file->path;
    return source;
}

Result<protocol::Option> option_of_kernel(const registry::Registry& registry, const std::string& kernel) {
    auto file = file_of(registry, kernel);
    if (!file) {
        return file.error();
    }
    if (file->device.is_self()) {
        return Error("daemon.no_device", {{"path", file->path}});
    }
    const auto device = registry.resolve(file->device, "");
    if (!device) {
        return device.error();
    }
    protocol::Option option;
    option.device_id = (*device)->identity.id;
    option.id = option.device_id + ":" + file->path;
    option.title = file->path;
    option.kernel.path = std::move(file->path);
    return option;
}

Result<Request> request_of(const registry::Registry& registry, const protocol::Option& option,
                           const Overrides& overrides) {
    Request request;
    request.option_id = option.id;
    request.title = option.title;
    request.overrides = overrides;
    request.command_line = overrides.args.value_or(option.args);
    if (overrides.append && !overrides.append->empty()) {
        request.command_line += (request.command_line.empty() ? "" : " ") + *overrides.append;
    }
    if (!is_one_line(request.command_line)) {
        return Error("daemon.bad_args");
    }
    std::vector<Resource> initrds = option.initrds;
    std::optional<Resource> devicetree = option.devicetree;
    for (const std::string& text : overrides.initrds) {
        auto file = file_of(registry, text);
        if (!file) {
            return file.error();
        }
        initrds.push_back(std::move(*file));
    }
    if (overrides.devicetree) {
        auto file = file_of(registry, *overrides.devicetree);
        if (!file) {
            return file.error();
        }
        devicetree = std::move(*file);
    }
    auto kernel = source_of(registry, option.kernel, option.device_id);
    if (!kernel) {
        return kernel.error();
    }
    request.kernel = std::move(*kernel);
    auto entry_file = entry_file_of(registry, option);
    if (!entry_file) {
        return entry_file.error();
    }
    request.entry_file = std::move(*entry_file);
    for (const Resource& each : initrds) {
        auto initrd = source_of(registry, each, option.device_id);
        if (!initrd) {
            return initrd.error();
        }
        request.initrds.push_back(std::move(*initrd));
    }
    if (devicetree) {
        auto source = source_of(registry, *devicetree, option.device_id);
        if (!source) {
            return source.error();
        }
        request.devicetree = std::move(*source);
    }
    return request;
}

}  // namespace stillboot::handover
