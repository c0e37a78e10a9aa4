// SPDX-License-Identifier: Apache-2.0
// The choice of a decompressor, and what those say that this build leaves out.
#include "kexec/decompress.hpp"

#include "kexec/build_features.hpp"

namespace stillboot::kexec {

Result<void> BoundedOutput::append(std::span<const std::byte> bytes) {
    if (bytes.size() > limit_bytes_ - writer_.size_bytes()) {
        return Error("kexec.unwrapped_too_large", {{"path", name_}, {"limit_bytes", limit_bytes_}});
    }
    return writer_.append(bytes);
}

Error compressed_truncated(Format format, std::string_view name) {
    return Error("kexec.compressed_truncated", {{"path", name}, {"format", to_word(format)}});
}

Error compressed_damaged(Format format, std::string_view name) {
    return Error("kexec.compressed_damaged", {{"path", name}, {"format", to_word(format)}});
}

Result<void> decompress(Format format, std::span<const std::byte> input, BoundedOutput& output,
                        std::string_view name) {
    switch (format) {
        case Format::gzip: return decompress_gzip(input, output, name);
        case Format::xz:
        case Format::lzma: return decompress_xz(input, output, name);
        case Format::zstd: return decompress_zstd(input, output, name);
        case Format::lz4: return decompress_lz4(input, output, name);
        case Format::bzip2: return decompress_bzip2(input, output, name);
        default: return compressed_damaged(format, name);
    }
}

std::string_view decompressors_in_build() {
    return STILLBOOT_DECOMPRESSORS;
}

namespace {

[[maybe_unused]] Error not_in_build(Format format, std::string_view name) {
    return Error("kexec.compression_not_in_build", {{"path", name}, {"format", to_word(format)}});
}

}  // namespace

#if !STILLBOOT_HAVE_ZLIB
Result<void> decompress_gzip(std::span<const std::byte>, BoundedOutput&, std::string_view name) {
    return not_in_build(Format::gzip, name);
}
#endif
#if !STILLBOOT_HAVE_LZMA
Result<void> decompress_xz(std::span<const std::byte>, BoundedOutput&, std::string_view name) {
    return not_in_build(Format::xz, name);
}
#endif
#if !STILLBOOT_HAVE_ZSTD
Result<void> decompress_zstd(std::span<const std::byte>, BoundedOutput&, std::string_view name) {
    return not_in_build(Format::zstd, name);
}
#endif
#if !STILLBOOT_HAVE_LZ4
Result<void> decompress_lz4(std::span<const std::byte>, BoundedOutput&, std::string_view name) {
    return not_in_build(Format::lz4, name);
}
#endif
#if !STILLBOOT_HAVE_BZIP2
Result<void> decompress_bzip2(std::span<const std::byte>, BoundedOutput&, std::string_view name) {
    return not_in_build(Format::bzip2, name);
}
#endif

}  // namespace stillboot::kexec
