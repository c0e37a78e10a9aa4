// SPDX-License-Identifier: Apache-2.0
// What a kernel file is, whether all of it is there, and what it says about its own limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/base/result.hpp"

namespace stillboot::kexec {

enum class Architecture { unknown, x86, ppc, arm64, riscv };

/// "x86", "POWER", … Lifetime: static.
[[nodiscard]] std::string_view to_word(Architecture architecture);
/// The architecture that this program was built for.
[[nodiscard]] Architecture host_architecture();

enum class Format {
    bzimage,
    elf,
    arm64_image,
    riscv_image,
    gzip,
    xz,
    zstd,
    lz4,
    bzip2,
    lzma,
    zboot,  ///< EFI application that holds a compressed kernel
    uki,    ///< unified kernel image: EFI application with kernel, initrd and command line as sections
};

/// "bzImage", "gzip", … as people write them. Lifetime: static.
[[nodiscard]] std::string_view to_word(Format format);

/// Part of a file. Size 0: not there.
struct ByteRange {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;

    bool operator==(const ByteRange&) const = default;
};

struct Image {
    Format format = Format::bzimage;
    Architecture architecture = Architecture::unknown;  ///< unknown for a compressed file
    /// The least size of the whole file in bytes, from its own headers; 0 where the format does not say.
    std::uint64_t expected_bytes = 0;
    /// The longest command line that this kernel can be given by kexec_file_load, its NUL counted; 0: not said.
    std::uint32_t command_line_limit_bytes = 0;
    bool has_signature = false;            ///< a PE certificate table is there; whose it is, the kernel decides
    Format payload_format = Format::gzip;  ///< of a zboot image: how `kernel` is compressed
    ByteRange kernel;                      ///< of a zboot image or a UKI
    ByteRange initrd;                      ///< of a UKI
    ByteRange command_line;                ///< of a UKI

    /// True where something must be unwrapped before the kernel itself is there.
    [[nodiscard]] bool wrapped() const;
};

/// Recognises a kernel file by its contents. All sizes and offsets in it are taken as hostile.
/// @param file the whole file
/// @param name for messages
/// @error kexec.image_empty, kexec.image_is_text, kexec.image_is_initrd, kexec.image_unknown,
///   kexec.image_truncated, kexec.image_damaged, kexec.bzimage_too_old
/// Sources: Linux Documentation/arch/x86/boot.rst, arch/arm64/booting.rst, arch/riscv/boot-image-header.rst,
/// drivers/firmware/efi/libstub/zboot-header.S; ELF-64; PE/COFF; the Unified Kernel Image specification.
[[nodiscard]] Result<Image> recognise(std::span<const std::byte> file, std::string_view name);

/// Refuses a command line that the kernel would refuse or cut: too long for this image, or with a byte (NUL,
/// newline) that cannot be part of one.
/// Limits, the NUL counted: x86 what the image's header says less the 30 bytes that kexec reserves for
/// elfcorehdr= (2047 - 30 = 2017 for every kernel of today); 2048 on ppc and arm64; 1024 on riscv.
/// @error kexec.command_line_too_long, kexec.command_line_bad_byte
[[nodiscard]] Result<void> check_command_line(const Image& image, std::string_view command_line);

}  // namespace stillboot::kexec
