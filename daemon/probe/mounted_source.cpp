// SPDX-License-Identifier: Apache-2.0
// The mounted view first, the daemon for the rest.
#include "daemon/probe/mounted_source.hpp"

#include "daemon/probe/sealed.hpp"

namespace stillboot::probe {

MountedSource::MountedSource(DeviceId own, Root root, Asker& asker)
    : own_({std::move(own), std::move(root)}, {}), asker_(asker) {}

Result<std::string> MountedSource::read(const DeviceRef& device, std::string_view path, std::size_t max_bytes) {
    if (is_own(device)) {
        return own_.read(device, path, max_bytes);
    }
    const Answer answer = asker_.ask(Question(Question::Kind::read, device, std::string(path), max_bytes));
    if (answer.error) {
        return Error(*answer.error);
    }
    return read_sealed(answer.content.get(), max_bytes, path);
}

FileSource::Kind MountedSource::kind(const DeviceRef& device, std::string_view path) {
    return is_own(device) ? own_.kind(device, path)
                          : asker_.ask(Question(Question::Kind::kind, device, std::string(path))).kind;
}

std::uint64_t MountedSource::size(const DeviceRef& device, std::string_view path) {
    return is_own(device) ? own_.size(device, path)
                          : asker_.ask(Question(Question::Kind::size, device, std::string(path))).size;
}

std::vector<std::string> MountedSource::list(const DeviceRef& device, std::string_view path) {
    return is_own(device) ? own_.list(device, path)
                          : asker_.ask(Question(Question::Kind::list, device, std::string(path))).names;
}

bool MountedSource::present(const DeviceRef& device) {
    return is_own(device) || asker_.ask(Question(Question::Kind::present, device, {})).present;
}

std::vector<DeviceRef> MountedSource::devices_with_file(std::string_view path) {
    std::vector<DeviceRef> found = own_.devices_with_file(path);
    const Answer answer = asker_.ask(Question(Question::Kind::find, {}, std::string(path)));
    for (const auto& id : answer.devices) {
        if (id != self().id) {
            found.push_back({DeviceRef::Kind::id, id});
        }
    }
    return found;
}

}  // namespace stillboot::probe
