// SPDX-License-Identifier: Apache-2.0
// Files in memory that are written once and then sealed, so that what was checked is what is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/base/result.hpp"
#include "config/base/unique_fd.hpp"

namespace stillboot {

/// A memfd being written. Nothing can change it after seal(): neither its bytes nor its size.
class MemfdWriter {
public:
    /// @error base.memfd_failed
    static Result<MemfdWriter> create(const std::string& name);

    /// @error base.memfd_failed, with ENOSPC or ENOMEM where memory is short
    Result<void> append(std::span<const std::byte> bytes);
    Result<void> append(std::string_view text) { return append(std::as_bytes(std::span(text))); }
    [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }
    /// Seals and hands over the descriptor. @error base.memfd_failed
    Result<UniqueFd> seal() &&;

private:
    MemfdWriter(UniqueFd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

    UniqueFd fd_;
    std::string name_;
    std::uint64_t size_bytes_ = 0;
};

/// A memfd that holds these bytes, sealed. @error base.memfd_failed
[[nodiscard]] Result<UniqueFd> sealed_memfd(const std::string& name, std::span<const std::byte> bytes);
[[nodiscard]] Result<UniqueFd> sealed_memfd(const std::string& name, std::string_view text);

/// The bytes of a sealed memfd, mapped read-only. Lifetime: the mapping outlives the descriptor.
class MappedMemfd {
public:
    /// @error base.memfd_not_sealed where the file could shrink below us (a read would then end the process),
    /// base.memfd_failed
    static Result<MappedMemfd> map(int fd, std::string_view name);
    MappedMemfd(MappedMemfd&& other) noexcept;
    MappedMemfd& operator=(MappedMemfd&& other) noexcept;
    MappedMemfd(const MappedMemfd&) = delete;
    MappedMemfd& operator=(const MappedMemfd&) = delete;
    ~MappedMemfd();

    [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

private:
    explicit MappedMemfd(std::span<const std::byte> bytes) : bytes_(bytes) {}

    std::span<const std::byte> bytes_;
};

}  // namespace stillboot
