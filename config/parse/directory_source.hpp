// SPDX-License-Identifier: Apache-2.0
// File systems that are directories: how `stillboot explain` and the golden tests give files to the parsers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/base/root.hpp"
#include "config/parse/file_source.hpp"

namespace stillboot {

/// Reads one file system, and others that references may lead to, each below a directory of its own. A reference
/// that names the own file system is read there; one that names several others is ambiguous.
class DirectorySource final : public FileSource {
public:
    struct FileSystem {
        DeviceId device;
        Root root;
    };

    DirectorySource(FileSystem own, std::vector<FileSystem> others);

    Result<std::string> read(const DeviceRef& device, std::string_view path, std::size_t max_bytes) override;
    Kind kind(const DeviceRef& device, std::string_view path) override;
    std::uint64_t size(const DeviceRef& device, std::string_view path) override;
    std::vector<std::string> list(const DeviceRef& device, std::string_view path) override;
    bool present(const DeviceRef& device) override;
    std::vector<DeviceRef> devices_with_file(std::string_view path) override;
    [[nodiscard]] const DeviceId& self() const override { return file_systems_.front().device; }
    [[nodiscard]] std::vector<Damage> damage() const override { return damage_; }

private:
    /// @error config.device_missing, config.device_ambiguous
    [[nodiscard]] Result<const FileSystem*> find(const DeviceRef& device) const;
    [[nodiscard]] const FileSystem* find_any(const DeviceRef& device) const;
    [[nodiscard]] std::optional<struct stat> look_at(const FileSystem& files, std::string_view path);
    void note_damage(const FileSystem& files, std::string_view path, const Error& error);

    std::vector<FileSystem> file_systems_;  ///< the own one first
    std::vector<Damage> damage_;
};

}  // namespace stillboot
