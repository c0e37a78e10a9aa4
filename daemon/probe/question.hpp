// SPDX-License-Identifier: Apache-2.0
// What a scan asks about files of other devices, and what it is answered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/result.hpp"
#include "config/base/unique_fd.hpp"
#include "config/model/device.hpp"
#include "config/parse/file_source.hpp"

namespace stillboot::probe {

/// One call of FileSource about another device. `find` is devices_with_file.
struct Question {
    enum class Kind { read, kind, size, list, present, find };

    Question() = default;
    Question(Kind what, DeviceRef where, std::string file, std::uint64_t limit_bytes = 0)
        : kind(what), device(std::move(where)), path(std::move(file)), max_bytes(limit_bytes) {}

    Kind kind = Kind::present;
    DeviceRef device;             ///< never self; not used by find
    std::string path;             ///< not used by present
    std::uint64_t max_bytes = 0;  ///< for read

    bool operator==(const Question&) const = default;
};

/// The answer to one question; only the fields of its kind are used.
struct Answer {
    Answer() = default;
    explicit Answer(const Error& failure) : error(failure.message()) {}
    explicit Answer(Message failure) : error(std::move(failure)) {}

    std::optional<Message> error;  ///< read: why there is none (config.file_missing, config.device_missing, …)
    UniqueFd content;              ///< read: a sealed memfd
    FileSource::Kind kind = FileSource::Kind::missing;
    std::uint64_t size = 0;
    bool present = false;
    std::vector<std::string> names;    ///< list: sorted
    std::vector<std::string> devices;  ///< find: DeviceId::id, in order, at most max_found_devices
};

inline constexpr std::size_t max_found_devices = 64;
/// A scan reads no more files that persons have named: their paths go in one packet.
inline constexpr std::size_t max_named_files = 8;
/// A scan that asks more than this is ended.
inline constexpr std::size_t max_questions = 2000;

}  // namespace stillboot::probe
