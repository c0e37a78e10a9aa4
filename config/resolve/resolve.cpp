// SPDX-License-Identifier: Apache-2.0
// Own device, own disk, anywhere: in this order, and never a guess.
#include "config/resolve/resolve.hpp"

#include <set>

namespace stillboot {
namespace {

struct Matches {
    const DeviceId* first = nullptr;
    int count = 0;

    void add(const DeviceId& device) {
        first = count == 0 ? &device : first;
        ++count;
    }
};

Result<ResolvedFile> resolve_file(const Resource& resource, const DeviceId& own,
                                  const std::vector<DeviceId>& devices) {
    ResolvedFile out;
    if (!resource.url.empty()) {
        out.url = resource.url;
        return out;
    }
    const auto device = resolve_device(resource.device, own, devices);
    if (!device) {
        return device.error();
    }
    out.device_id = (*device)->id;
    out.node = (*device)->node;
    out.path = resource.path;
    return out;
}

std::string key_of(const ListedOption& listed) {
    std::string key;
    const auto add = [&](const ResolvedFile& file) {
        for (const std::string* text : {&file.device_id, &file.path, &file.url}) {
            key.append(*text).append(1, '\0');
        }
    };
    add(listed.files->kernel);
    for (const ResolvedFile& initrd : listed.files->initrds) {
        add(initrd);
    }
    add(listed.files->devicetree.value_or(ResolvedFile()));
    return key.append(listed.option->title).append(1, '\0').append(listed.option->args);
}

}  // namespace

Result<const DeviceId*> resolve_device(const DeviceRef& reference, const DeviceId& own,
                                       const std::vector<DeviceId>& devices) {
    if (reference.is_self() || names_device(reference, own)) {
        return &own;
    }
    Matches anywhere;
    Matches on_own_disk;
    for (const DeviceId& device : devices) {
        if (!names_device(reference, device)) {
            continue;
        }
        anywhere.add(device);
        if (!own.disk.empty() && device.disk == own.disk) {
            on_own_disk.add(device);
        }
    }
    const Matches& nearest = on_own_disk.count > 0 ? on_own_disk : anywhere;
    if (nearest.count == 1) {
        return nearest.first;
    }
    return Error(nearest.count == 0 ? "config.device_missing" : "config.device_ambiguous",
                 {{"kind", to_word(reference.kind)}, {"value", reference.value}});
}

Result<ResolvedOption> resolve_option(const BootOption& option, const DeviceId& own,
                                      const std::vector<DeviceId>& devices) {
    ResolvedOption out;
    auto kernel = resolve_file(option.kernel, own, devices);
    if (!kernel) {
        return kernel.error();
    }
    out.kernel = std::move(*kernel);
    for (const Resource& each : option.initrds) {
        auto initrd = resolve_file(each, own, devices);
        if (!initrd) {
            return initrd.error();
        }
        out.initrds.push_back(std::move(*initrd));
    }
    if (option.devicetree) {
        auto devicetree = resolve_file(*option.devicetree, own, devices);
        if (!devicetree) {
            return devicetree.error();
        }
        out.devicetree = std::move(*devicetree);
    }
    return out;
}

std::vector<bool> find_repeated_options(const std::vector<ListedOption>& options) {
    // The keys of the options that lie with their kernel.
    std::set<std::string> at_home;
    const auto is_at_home = [](const ListedOption& listed) {
        return listed.files->kernel.device_id == listed.option->device_id;
    };
    for (const ListedOption& listed : options) {
        if (listed.files && is_at_home(listed)) {
            at_home.insert(key_of(listed));
        }
    }
    std::vector<bool> repeated;
    for (const ListedOption& listed : options) {
        repeated.push_back(listed.files && !is_at_home(listed) && at_home.count(key_of(listed)) != 0);
    }
    return repeated;
}

}  // namespace stillboot
