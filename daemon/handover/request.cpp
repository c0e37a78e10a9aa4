// SPDX-License-Identifier: Apache-2.0
// From an option to a request that names device nodes.
#include <algorithm>

#include "daemon/handover/booter.hpp"

namespace stillboot::handover {
namespace {

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

}  // namespace

Result<Request> request_of(const registry::Registry& registry, const protocol::Option& option,
                           const std::optional<std::string>& append, const std::optional<std::string>& args) {
    Request request;
    request.option_id = option.id;
    request.title = option.title;
    request.command_line = args.value_or(option.args);
    if (append && !append->empty()) {
        request.command_line += (request.command_line.empty() ? "" : " ") + *append;
    }
    if (!is_one_line(request.command_line)) {
        return Error("daemon.bad_args");
    }
    auto kernel = source_of(registry, option.kernel, option.device_id);
    if (!kernel) {
        return kernel.error();
    }
    request.kernel = std::move(*kernel);
    for (const auto& each : option.initrds) {
        auto initrd = source_of(registry, each, option.device_id);
        if (!initrd) {
            return initrd.error();
        }
        request.initrds.push_back(std::move(*initrd));
    }
    if (option.devicetree) {
        auto devicetree = source_of(registry, *option.devicetree, option.device_id);
        if (!devicetree) {
            return devicetree.error();
        }
        request.devicetree = std::move(*devicetree);
    }
    return request;
}

}  // namespace stillboot::handover
