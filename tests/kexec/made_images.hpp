// SPDX-License-Identifier: Apache-2.0
// Kernel images made for tests, by the documents that define their headers.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/base/memfd.hpp"

namespace stillboot::test {

inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

inline void put(std::string& file, std::size_t offset, std::uint64_t value, unsigned width) {
    for (unsigned at = 0; at < width; ++at) {
        file[offset + at] = static_cast<char>(value >> (8 * at) & 0xff);
    }
}

inline void put(std::string& file, std::size_t offset, std::string_view text) {
    file.replace(offset, text.size(), text);
}

/// A bzImage of protocol 2.15 with 3 setup sectors and this much protected-mode code; no EFI stub.
inline std::string made_bzimage(std::size_t system_bytes = 4096) {
    std::string file(4 * 512 + system_bytes, '\x90');
    put(file, 0, std::string(4 * 512, '\0'));
    put(file, 0x1f1, 3, 1);
    put(file, 0x1f4, system_bytes / 16, 4);
    put(file, 0x1fe, 0xaa55, 2);
    put(file, 0x202, "HdrS");
    put(file, 0x206, 0x020f, 2);
    put(file, 0x236, 3, 2);     // XLF_KERNEL_64, CAN_BE_LOADED_ABOVE_4G
    put(file, 0x238, 2047, 4);  // cmdline_size
    put(file, 0x248, 16, 4);
    put(file, 0x24c, system_bytes - 16, 4);
    return file;
}

/// An executable ELF of 64 bits with one segment, and no section headers.
inline std::string made_elf(std::uint16_t machine, std::size_t segment_bytes = 1000) {
    std::string file(64 + 56 + segment_bytes, '\0');
    put(file, 0,
        "\x7f"
        "ELF\x02\x01\x01");
    put(file, 16, 2, 2);  // ET_EXEC
    put(file, 18, machine, 2);
    put(file, 32, 64, 8);  // program headers
    put(file, 54, 56, 2);
    put(file, 56, 1, 2);
    put(file, 64, 1, 4);  // PT_LOAD
    put(file, 64 + 8, 120, 8);
    put(file, 64 + 32, segment_bytes, 8);
    return file;
}

/// An EFI application (PE32+) with these sections, each padded to 512 bytes; the first 64 bytes are free but
/// for the magic and the pointer to the PE header.
inline std::string made_pe(std::uint16_t machine,
                           const std::vector<std::pair<std::string, std::string>>& sections) {
    constexpr std::size_t pe = 64, optional_bytes = 240, table = pe + 24 + optional_bytes;
    std::string file(1024, '\0');
    put(file, 0, "MZ");
    put(file, 0x3c, pe, 4);
    put(file, pe, std::string_view("PE\0\0", 4));
    put(file, pe + 4, machine, 2);
    put(file, pe + 6, sections.size(), 2);
    put(file, pe + 20, optional_bytes, 2);
    put(file, pe + 24, 0x20b, 2);
    put(file, pe + 24 + 108, 16, 4);
    std::size_t at = table;
    for (const auto& [name, contents] : sections) {
        const std::size_t padded = (contents.size() + 511) / 512 * 512;
        put(file, at, name);
        put(file, at + 8, contents.size(), 4);
        put(file, at + 16, padded, 4);
        put(file, at + 20, file.size(), 4);
        file += contents + std::string(padded - contents.size(), '\0');
        at += 40;
    }
    return file;
}

/// A certificate table of this many bytes appended to a PE file.
inline std::string with_certificates(std::string file, std::size_t bytes) {
    const std::size_t pe = static_cast<unsigned char>(file[0x3c]);
    put(file, pe + 24 + 112 + 4 * 8, file.size(), 4);
    put(file, pe + 24 + 112 + 4 * 8 + 4, bytes, 4);
    return file + std::string(bytes, '\x30');
}

inline std::string made_arm64_image() {
    std::string file = made_pe(0xaa64, {{".text", std::string(3000, '\xd5')}});
    put(file, 16, 1 << 20, 8);  // image_size counts the .bss
    // The magic lies where the PE header would begin at 64; it stands before it.
    put(file, 56, "ARM\x64");
    return file;
}

inline std::string made_zboot(std::string_view compression, std::string_view payload) {
    std::string file = made_pe(0xaa64, {{".text", std::string(payload)}});
    put(file, 4, "zimg");
    put(file, 8, 1024, 4);
    put(file, 12, payload.size(), 4);
    put(file, 24, compression);
    return file;
}

inline UniqueFd sealed(std::string_view contents) {
    return sealed_memfd("test", contents).value();
}

inline std::string contents_of(const UniqueFd& fd) {
    const auto mapped = MappedMemfd::map(fd.get(), "test");
    return {reinterpret_cast<const char*>(mapped->bytes().data()), mapped->bytes().size()};
}

}  // namespace stillboot::test
