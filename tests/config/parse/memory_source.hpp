// SPDX-License-Identifier: Apache-2.0
// A file system that is a map, for tests of parsers: no disk, and errors on request.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/parse/file_source.hpp"

namespace stillboot::test {

/// The own device, and others by their id (their `uuid` is compared too). A path that is a prefix of a file's is a
/// directory.
class MemorySource final : public FileSource {
public:
    struct Device {
        DeviceId id;
        std::map<std::string, std::string> files;
    };

    explicit MemorySource(std::map<std::string, std::string> files = {}) {
        devices.push_back({DeviceId(), std::move(files)});
    }

    Result<std::string> read(const DeviceRef& device, std::string_view path, std::size_t max_bytes) override {
        const Device* found = find(device);
        if (found == nullptr) {
            return Error("config.device_missing", {{"kind", to_word(device.kind)}, {"value", device.value}});
        }
        if (unreadable.count(std::string(path)) != 0) {
            return Error::from_errno(EIO, "base.read_failed", {{"path", path}});
        }
        const auto file = found->files.find(std::string(path));
        if (file == found->files.end()) {
            return Error("config.file_missing", {{"path", path}, {"device", found->id.id}});
        }
        if (file->second.size() > max_bytes) {
            return Error("base.file_too_large", {{"path", path}, {"limit_bytes", std::uint64_t{max_bytes}}});
        }
        return file->second;
    }
    Kind kind(const DeviceRef& device, std::string_view path) override {
        const Device* found = find(device);
        if (found == nullptr) {
            return Kind::missing;
        }
        if (found->files.count(std::string(path)) != 0) {
            return Kind::file;
        }
        return list(device, path).empty() ? Kind::missing : Kind::directory;
    }
    std::uint64_t size(const DeviceRef& device, std::string_view path) override {
        const auto text = read(device, path, SIZE_MAX);
        return text ? text->size() : 0;
    }
    std::vector<std::string> list(const DeviceRef& device, std::string_view path) override {
        const Device* found = find(device);
        std::set<std::string> names;
        const std::string prefix = path == "/" ? "/" : std::string(path) + "/";
        static const std::map<std::string, std::string> nothing;
        for (const auto& [file, text] : found == nullptr ? nothing : found->files) {
            if (file.rfind(prefix, 0) == 0) {
                const std::string rest = file.substr(prefix.size());
                names.insert(rest.substr(0, rest.find('/')));
            }
        }
        return {names.begin(), names.end()};
    }
    bool present(const DeviceRef& device) override { return find(device) != nullptr; }
    std::vector<DeviceRef> devices_with_file(std::string_view path) override {
        std::vector<DeviceRef> out;
        for (const Device& each : devices) {
            if (each.files.count(std::string(path)) != 0) {
                out.push_back(&each == &devices.front() ? DeviceRef()
                                                        : DeviceRef{DeviceRef::Kind::id, each.id.id});
            }
        }
        return out;
    }
    [[nodiscard]] const DeviceId& self() const override { return devices.front().id; }
    [[nodiscard]] std::vector<Damage> damage() const override { return damaged; }

    std::vector<Device> devices;       ///< the own one first
    std::set<std::string> unreadable;  ///< paths whose read fails with EIO
    std::vector<Damage> damaged;

private:
    [[nodiscard]] const Device* find(const DeviceRef& reference) const {
        for (const Device& each : devices) {
            if ((&each == &devices.front() && reference.is_self()) || names_device(reference, each.id)) {
                return &each;
            }
        }
        return nullptr;
    }
};

}  // namespace stillboot::test
