// SPDX-License-Identifier: Apache-2.0
// Directories as file systems.
#include "config/parse/directory_source.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace stillboot {
namespace {

// A disk that cannot be read, and what file systems say of their own damage: EFSCORRUPTED and EFSBADCRC.
bool is_damage(int error_number) {
    return error_number == EIO || error_number == EUCLEAN || error_number == EBADMSG;
}

}  // namespace

DirectorySource::DirectorySource(FileSystem own, std::vector<FileSystem> others) {
    file_systems_.push_back(std::move(own));
    file_systems_.insert(file_systems_.end(), std::make_move_iterator(others.begin()),
                         std::make_move_iterator(others.end()));
}

Result<const DirectorySource::FileSystem*> DirectorySource::find(const DeviceRef& device) const {
    if (device.is_self() || names_device(device, self())) {
        return &file_systems_.front();
    }
    const FileSystem* found = nullptr;
    for (const FileSystem& each : file_systems_) {
        if (!names_device(device, each.device)) {
            continue;
        }
        if (found != nullptr) {
            return Error("config.device_ambiguous", {{"kind", to_word(device.kind)}, {"value", device.value}});
        }
        found = &each;
    }
    if (found == nullptr) {
        return Error("config.device_missing", {{"kind", to_word(device.kind)}, {"value", device.value}});
    }
    return found;
}

const DirectorySource::FileSystem* DirectorySource::find_any(const DeviceRef& device) const {
    const auto found = find(device);
    return found ? *found : nullptr;
}

std::optional<struct stat> DirectorySource::look_at(const FileSystem& files, std::string_view path) {
    auto info = files.root.stat(path);
    if (!info) {
        note_damage(files, path, Error::from_errno(errno, "base.read_failed", {{"path", path}}));
    }
    return info;
}

void DirectorySource::note_damage(const FileSystem& files, std::string_view path, const Error& error) {
    const bool known =
        std::any_of(damage_.begin(), damage_.end(), [&](const Damage& each) { return each.path == path; });
    if (!known && is_damage(error.error_number()) && &files == &file_systems_.front()) {
        damage_.push_back({std::string(path), error.message()});
    }
}

Result<std::string> DirectorySource::read(const DeviceRef& device, std::string_view path, std::size_t max_bytes) {
    const auto found = find(device);
    if (!found) {
        return found.error();
    }
    auto text = (*found)->root.read_file(path, max_bytes);
    const int reason = text ? 0 : text.error().error_number();
    if (reason == ENOENT || reason == ENOTDIR) {
        const std::string& name = (*found)->device.id;
        return Error("config.file_missing", {{"path", path}, {"device", name.empty() ? "this device" : name}});
    }
    return text;
}

FileSource::Kind DirectorySource::kind(const DeviceRef& device, std::string_view path) {
    const FileSystem* files = find_any(device);
    const auto info = files == nullptr ? std::nullopt : look_at(*files, path);
    if (!info) {
        return Kind::missing;
    }
    if (S_ISREG(info->st_mode)) {
        return Kind::file;
    }
    return S_ISDIR(info->st_mode) ? Kind::directory : Kind::other;
}

std::uint64_t DirectorySource::size(const DeviceRef& device, std::string_view path) {
    const FileSystem* files = find_any(device);
    const auto info = files == nullptr ? std::nullopt : look_at(*files, path);
    return info && S_ISREG(info->st_mode) ? static_cast<std::uint64_t>(info->st_size) : 0;
}

std::vector<std::string> DirectorySource::list(const DeviceRef& device, std::string_view path) {
    const FileSystem* files = find_any(device);
    if (files == nullptr) {
        return {};
    }
    auto names = files->root.list(path);
    if (!names) {
        note_damage(*files, path, names.error());
        return {};
    }
    return std::move(*names);
}

bool DirectorySource::present(const DeviceRef& device) {
    return find_any(device) != nullptr;
}

std::vector<DeviceRef> DirectorySource::devices_with_file(std::string_view path) {
    std::vector<DeviceRef> out;
    for (const FileSystem& each : file_systems_) {
        const auto info = look_at(each, path);
        if (!info || !S_ISREG(info->st_mode)) {
            continue;
        }
        const bool own = &each == &file_systems_.front();
        out.push_back(own ? DeviceRef() : DeviceRef{DeviceRef::Kind::id, each.device.id});
    }
    return out;
}

}  // namespace stillboot
