// SPDX-License-Identifier: Apache-2.0
// Decompression of kernels by the libraries of each format, into a bounded memory file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "config/base/memfd.hpp"
#include "kexec/image.hpp"

namespace stillboot::kexec {

/// Where decompressed bytes go: refuses the one that would be too many.
class BoundedOutput {
public:
    BoundedOutput(MemfdWriter& writer, std::uint64_t limit_bytes, std::string_view name)
        : writer_(writer), limit_bytes_(limit_bytes), name_(name) {}
    /// @error kexec.unwrapped_too_large, base.memfd_failed
    Result<void> append(std::span<const std::byte> bytes);

private:
    MemfdWriter& writer_;
    std::uint64_t limit_bytes_;
    std::string_view name_;
};

/// Decompresses one stream. Bytes behind its end are left alone (Linux appends the size to some).
/// @param format one of gzip, xz, zstd, lz4 (legacy frame), bzip2, lzma
/// @error kexec.compressed_truncated, kexec.compressed_damaged, kexec.compression_not_in_build, and those of
///   BoundedOutput
[[nodiscard]] Result<void> decompress(Format format, std::span<const std::byte> input, BoundedOutput& output,
                                      std::string_view name);

/// The formats that this build can decompress, for `stillboot --version` and the like.
[[nodiscard]] std::string_view decompressors_in_build();

// One a library; in a build without it, each answers kexec.compression_not_in_build.
[[nodiscard]] Result<void> decompress_gzip(std::span<const std::byte> input, BoundedOutput& output,
                                           std::string_view name);
[[nodiscard]] Result<void> decompress_xz(std::span<const std::byte> input, BoundedOutput& output,
                                         std::string_view name);
[[nodiscard]] Result<void> decompress_zstd(std::span<const std::byte> input, BoundedOutput& output,
                                           std::string_view name);
[[nodiscard]] Result<void> decompress_lz4(std::span<const std::byte> input, BoundedOutput& output,
                                          std::string_view name);
[[nodiscard]] Result<void> decompress_bzip2(std::span<const std::byte> input, BoundedOutput& output,
                                            std::string_view name);

// What they say alike.
[[nodiscard]] Error compressed_truncated(Format format, std::string_view name);
[[nodiscard]] Error compressed_damaged(Format format, std::string_view name);

}  // namespace stillboot::kexec
