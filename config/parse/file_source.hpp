// SPDX-License-Identifier: Apache-2.0
// How a parser reads files: read-only, bounded, on its own device or, by reference, on others.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.hpp"
#include "config/model/device.hpp"

namespace stillboot {

/// The port of config/parse to the outside. A real one reads the mounted view and asks the daemon for files of
/// other devices (each question is remembered, so that the scan runs again when that device comes); an offline
/// one (`stillboot explain`) reads directories; a test reads a map.
class FileSource {
public:
    enum class Kind { missing, file, directory, other };

    /// A path of the own file system that may be there, but which a damaged disk does not let anyone look at.
    struct Damage {
        std::string path;
        Message reason;
    };

    virtual ~FileSource() = default;

    /// The whole file. @error config.file_missing, config.device_missing (no such device now),
    /// config.device_ambiguous (several carry that name), base.file_too_large, base.read_failed
    virtual Result<std::string> read(const DeviceRef& device, std::string_view path, std::size_t max_bytes) = 0;
    /// What a path is; symlinks are followed inside the file system. A missing device makes it `missing`.
    virtual Kind kind(const DeviceRef& device, std::string_view path) = 0;
    /// The size of a regular file in bytes, or 0.
    virtual std::uint64_t size(const DeviceRef& device, std::string_view path) = 0;
    /// Names in a directory, sorted; empty where there is none.
    virtual std::vector<std::string> list(const DeviceRef& device, std::string_view path) = 0;
    /// True where the device that is referred to is there now.
    virtual bool present(const DeviceRef& device) = 0;
    /// The devices that hold a file of this path ("search --file"), own device first, else in the fixed order.
    virtual std::vector<DeviceRef> devices_with_file(std::string_view path) = 0;
    /// The identity of the device that `self` stands for.
    virtual const DeviceId& self() const = 0;
    /// What kind(), size(), list() and devices_with_file() have met and had to call missing, each path once.
    virtual std::vector<Damage> damage() const { return {}; }
};

}  // namespace stillboot
