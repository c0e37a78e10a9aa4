// SPDX-License-Identifier: Apache-2.0
// Recognition of kernel images.
#include "kexec/image.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "kexec/bytes.hpp"
#include "kexec/pe.hpp"

namespace stillboot::kexec {
namespace {

using namespace std::string_view_literals;

// kexec_file_load reserves room for "elfcorehdr=0x" and a 64-bit number (MAX_ELFCOREHDR_STR_LEN).
constexpr std::uint32_t kexec_reserved_command_line_bytes = 30;
constexpr std::uint64_t max_program_headers = 1024;

Error truncated(std::string_view name, std::uint64_t expected, std::uint64_t present) {
    return Error("kexec.image_truncated",
                 {{"path", name}, {"missing_bytes", expected - present}, {"expected_bytes", expected}});
}

Error damaged(std::string_view name, Format format) {
    return Error("kexec.image_damaged", {{"path", name}, {"format", to_word(format)}});
}

Result<Image> complete(Image image, const Bytes& file, std::string_view name) {
    if (image.expected_bytes > file.size()) {
        return truncated(name, image.expected_bytes, file.size());
    }
    return image;
}

Architecture architecture_of_pe(std::uint16_t machine) {
    switch (machine) {
        case 0x14c:
        case 0x8664: return Architecture::x86;
        case 0xaa64: return Architecture::arm64;
        case 0x5064: return Architecture::riscv;
        default: return Architecture::unknown;
    }
}

Architecture architecture_of_elf(std::uint64_t machine) {
    switch (machine) {
        case 3:
        case 62: return Architecture::x86;
        case 20:
        case 21: return Architecture::ppc;
        case 183: return Architecture::arm64;
        case 243: return Architecture::riscv;
        default: return Architecture::unknown;
    }
}

// Linux Documentation/arch/x86/boot.rst: offsets of the setup header.
Result<Image> recognise_bzimage(const Bytes& file, std::string_view name) {
    constexpr std::uint64_t header_end = 0x268;
    if (file.size() < header_end) {
        return truncated(name, header_end, file.size());
    }
    const std::uint64_t version = *file.number(0x206, 2);
    if (version < 0x0206) {  // before cmdline_size; kernels older than 2.6.22
        return Error("kexec.bzimage_too_old",
                     {{"path", name}, {"major", version >> 8}, {"minor", version & 0xff}});
    }
    Image image;
    image.format = Format::bzimage;
    image.architecture = Architecture::x86;
    const std::uint64_t setup_sectors = *file.number(0x1f1, 1);
    const std::uint64_t setup_bytes = ((setup_sectors == 0 ? 4 : setup_sectors) + 1) * 512;
    const std::uint64_t system_bytes = *file.number(0x1f4, 4) * 16;
    image.expected_bytes = setup_bytes + system_bytes;
    const std::uint64_t limit = *file.number(0x238, 4);
    image.command_line_limit_bytes = limit > kexec_reserved_command_line_bytes
                                         ? static_cast<std::uint32_t>(limit - kexec_reserved_command_line_bytes)
                                         : 1;
    if (version >= 0x0208) {
        const std::uint64_t payload_end = *file.number(0x248, 4) + *file.number(0x24c, 4);
        if (payload_end > system_bytes) {
            return damaged(name, Format::bzimage);
        }
    }
    if (const auto pe = read_pe(file); pe && pe->certificates.size != 0) {
        image.has_signature = true;  // the certificates stand behind the kernel proper
        image.expected_bytes = std::max(image.expected_bytes, pe->certificates.offset + pe->certificates.size);
    }
    return complete(image, file, name);
}

struct ElfLayout {
    unsigned word;                                                      ///< bytes of an address
    std::uint64_t header_bytes, program_offset, section_offset, sizes;  ///< offsets of fields in the ELF header
    std::uint64_t segment_offset, segment_file_bytes, program_header_bytes;
};
constexpr ElfLayout elf32 = {4, 52, 28, 32, 42, 4, 16, 32};
constexpr ElfLayout elf64 = {8, 64, 32, 40, 54, 8, 32, 56};

// Where the file must reach for its program headers, its segments and its section headers to be complete:
// the kernel checks both tables. Empty where the numbers cannot be those of a file.
std::optional<std::uint64_t> elf_end(const Bytes& file, const ElfLayout& layout) {
    const std::uint64_t table = *file.number(layout.program_offset, layout.word);
    const std::uint64_t sections = *file.number(layout.section_offset, layout.word);
    const std::uint64_t entry_bytes = *file.number(layout.sizes, 2);
    const std::uint64_t count = *file.number(layout.sizes + 2, 2);
    const std::uint64_t sections_bytes = *file.number(layout.sizes + 4, 2) * *file.number(layout.sizes + 6, 2);
    constexpr std::uint64_t sane = std::uint64_t{1} << 48;
    if (entry_bytes != layout.program_header_bytes || count == 0 || count > max_program_headers || table > sane ||
        sections > sane) {
        return std::nullopt;
    }
    std::uint64_t end = std::max(table + count * entry_bytes, sections_bytes == 0 ? 0 : sections + sections_bytes);
    for (std::uint64_t index = 0; index < count; ++index) {
        const std::uint64_t at = table + index * entry_bytes;
        const auto offset = file.number(at + layout.segment_offset, layout.word);
        const auto bytes = file.number(at + layout.segment_file_bytes, layout.word);
        if (!offset || !bytes) {
            break;  // the table itself is cut off: end lies past the file already
        }
        if (*offset > sane || *bytes > sane) {
            return std::nullopt;
        }
        end = std::max(end, *bytes == 0 ? 0 : *offset + *bytes);
    }
    return end;
}

Result<Image> recognise_elf(std::span<const std::byte> bytes, std::string_view name) {
    const Bytes ident(bytes);
    const std::uint64_t elf_class = ident.number(4, 1).value_or(0);
    const std::uint64_t data = ident.number(5, 1).value_or(0);
    const ElfLayout& layout = elf_class == 1 ? elf32 : elf64;
    if (ident.size() < layout.header_bytes) {
        return truncated(name, layout.header_bytes, ident.size());
    }
    const Bytes file(bytes, data == 2 ? Endian::big : Endian::little);
    const std::uint64_t type = *file.number(16, 2);
    const bool executable = type == 2 || type == 3;  // ET_EXEC, ET_DYN
    const auto end = executable ? elf_end(file, layout) : std::nullopt;
    if ((elf_class != 1 && elf_class != 2) || (data != 1 && data != 2) || !end) {
        return damaged(name, Format::elf);
    }
    Image image;
    image.format = Format::elf;
    image.architecture = architecture_of_elf(*file.number(18, 2));
    image.expected_bytes = *end;
    return complete(image, file, name);
}

// arm64 and riscv: image_size counts the .bss too, so that only the PE sections of an EFI stub tell how long
// the file is.
Result<Image> recognise_flat(const Bytes& file, std::string_view name, Format format, Architecture architecture) {
    Image image;
    image.format = format;
    image.architecture = architecture;
    if (const auto pe = read_pe(file)) {
        image.expected_bytes = pe->end_offset();
        image.has_signature = pe->certificates.size != 0;
    } else if (const auto image_bytes = file.number(16, 8); !image_bytes || *image_bytes == 0) {
        return damaged(name, format);
    }
    return complete(image, file, name);
}

std::optional<Format> compression_named(std::string_view word) {
    constexpr std::array<std::pair<std::string_view, Format>, 7> names = {{{"gzip", Format::gzip},
                                                                           {"xzkern", Format::xz},
                                                                           {"xz", Format::xz},
                                                                           {"zstd", Format::zstd},
                                                                           {"zstd22", Format::zstd},
                                                                           {"lz4", Format::lz4},
                                                                           {"lzma", Format::lzma}}};
    const auto found =
        std::find_if(names.begin(), names.end(), [&](const auto& row) { return row.first == word; });
    return found == names.end() ? std::nullopt : std::optional(found->second);
}

// drivers/firmware/efi/libstub/zboot-header.S: "zimg" at 4, payload offset and size at 8 and 12, the name of
// the compression at 24.
Result<Image> recognise_zboot(const Bytes& file, std::string_view name) {
    if (!file.holds(0, 0x38)) {
        return truncated(name, 0x38, file.size());
    }
    const std::string_view field = file.text(24, 32);
    const auto compression = compression_named(field.substr(0, field.find('\0')));
    if (!compression) {
        return Error("kexec.compression_unknown",
                     {{"path", name}, {"compression", field.substr(0, field.find('\0'))}});
    }
    Image image;
    image.format = Format::zboot;
    image.payload_format = *compression;
    image.kernel = {*file.number(8, 4), *file.number(12, 4)};
    image.expected_bytes = image.kernel.offset + image.kernel.size;
    if (const auto pe = read_pe(file)) {
        image.architecture = architecture_of_pe(pe->machine);
        image.has_signature = pe->certificates.size != 0;
        image.expected_bytes = std::max(image.expected_bytes, pe->end_offset());
    }
    if (image.kernel.size == 0) {
        return damaged(name, Format::zboot);
    }
    return complete(image, file, name);
}

Result<Image> recognise_uki(const PeHeaders& pe, const Bytes& file, std::string_view name) {
    Image image;
    image.format = Format::uki;
    image.architecture = architecture_of_pe(pe.machine);
    image.expected_bytes = pe.end_offset();
    image.has_signature = pe.certificates.size != 0;
    const auto range = [&](std::string_view section) {
        const PeSection* const found = pe.find(section);
        return found == nullptr ? ByteRange{} : ByteRange{found->data.offset, found->contents_bytes};
    };
    image.kernel = range(".linux");
    image.initrd = range(".initrd");
    image.command_line = range(".cmdline");
    if (image.kernel.size == 0) {
        return damaged(name, Format::uki);
    }
    return complete(image, file, name);
}

std::optional<Format> compressed_format(const Bytes& file) {
    constexpr std::array<std::pair<std::string_view, Format>, 6> magics = {{{"\x1f\x8b\x08"sv, Format::gzip},
                                                                            {"\xfd"
                                                                             "7zXZ\0"sv,
                                                                             Format::xz},
                                                                            {"\x28\xb5\x2f\xfd"sv, Format::zstd},
                                                                            {"\x02\x21\x4c\x18"sv, Format::lz4},
                                                                            {"BZh"sv, Format::bzip2},
                                                                            {"\x5d\0\0"sv, Format::lzma}}};
    const auto found =
        std::find_if(magics.begin(), magics.end(), [&](const auto& row) { return file.has(0, row.first); });
    return found == magics.end() ? std::nullopt : std::optional(found->second);
}

bool looks_like_text(const Bytes& file) {
    const std::string_view start = file.text(0, std::min<std::uint64_t>(file.size(), 4096));
    return std::all_of(start.begin(), start.end(), [](char letter) {
        const auto byte = static_cast<unsigned char>(letter);
        return byte >= 0x20
                   ? byte != 0x7f
                   : letter == '\n' || letter == '\t' || letter == '\r' || letter == '\f' || letter == '\x1b';
    });
}

Error not_a_kernel(const Bytes& file, std::string_view name) {
    if (file.has(0, "070701") || file.has(0, "070702")) {
        return Error("kexec.image_is_initrd", {{"path", name}});
    }
    return Error(looks_like_text(file) ? "kexec.image_is_text" : "kexec.image_unknown", {{"path", name}});
}

}  // namespace

bool Image::wrapped() const {
    return format != Format::bzimage && format != Format::elf && format != Format::arm64_image &&
           format != Format::riscv_image;
}

Architecture host_architecture() {
#if defined(__x86_64__) || defined(__i386__)
    return Architecture::x86;
#elif defined(__powerpc64__)
    return Architecture::ppc;
#elif defined(__aarch64__)
    return Architecture::arm64;
#elif defined(__riscv)
    return Architecture::riscv;
#else
    return Architecture::unknown;
#endif
}

std::string_view to_word(Architecture architecture) {
    switch (architecture) {
        case Architecture::x86: return "x86";
        case Architecture::ppc: return "POWER";
        case Architecture::arm64: return "arm64";
        case Architecture::riscv: return "RISC-V";
        case Architecture::unknown: break;
    }
    return "an unknown architecture";
}

std::string_view to_word(Format format) {
    switch (format) {
        case Format::bzimage: return "bzImage";
        case Format::elf: return "ELF";
        case Format::arm64_image: return "arm64 Image";
        case Format::riscv_image: return "RISC-V Image";
        case Format::gzip: return "gzip";
        case Format::xz: return "xz";
        case Format::zstd: return "zstd";
        case Format::lz4: return "lz4";
        case Format::bzip2: return "bzip2";
        case Format::lzma: return "lzma";
        case Format::zboot: return "EFI zboot";
        case Format::uki: return "unified kernel image";
    }
    return "";
}

Result<Image> recognise(std::span<const std::byte> bytes, std::string_view name) {
    const Bytes file(bytes);
    if (bytes.empty()) {
        return Error("kexec.image_empty", {{"path", name}});
    }
    if (file.has(0x202, "HdrS") && file.number(0x1fe, 2) == 0xaa55) {
        return recognise_bzimage(file, name);
    }
    if (file.has(0,
                 "\x7f"
                 "ELF")) {
        return recognise_elf(bytes, name);
    }
    if (file.has(0, "MZ") && file.has(4, "zimg")) {
        return recognise_zboot(file, name);
    }
    if (file.has(56, "ARM\x64")) {
        return recognise_flat(file, name, Format::arm64_image, Architecture::arm64);
    }
    if (file.has(56, "RSC\x05") && file.has(48, "RISCV"sv)) {
        return recognise_flat(file, name, Format::riscv_image, Architecture::riscv);
    }
    if (const auto pe = read_pe(file); pe && pe->find(".linux") != nullptr) {
        return recognise_uki(*pe, file, name);
    }
    if (const auto format = compressed_format(file)) {
        Image image;
        image.format = *format;
        return image;
    }
    return not_a_kernel(file, name);
}

Result<void> check_command_line(const Image& image, std::string_view command_line) {
    std::uint32_t limit = image.command_line_limit_bytes;
    if (limit == 0) {
        limit = image.architecture == Architecture::riscv ? 1024 : 2048;
    }
    if (command_line.size() + 1 > limit) {
        return Error("kexec.command_line_too_long", {{"bytes", std::uint64_t{command_line.size()}},
                                                     {"limit_bytes", limit - 1},
                                                     {"architecture", to_word(image.architecture)}});
    }
    const std::size_t bad = command_line.find_first_of("\0\n"sv);
    if (bad != command_line.npos) {
        return Error("kexec.command_line_bad_byte", {{"position", std::uint64_t{bad + 1}}});
    }
    return {};
}

}  // namespace stillboot::kexec
