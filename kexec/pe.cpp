// SPDX-License-Identifier: Apache-2.0
// PE/COFF headers.
#include "kexec/pe.hpp"

#include <algorithm>

#include "config/base/planted_defect.hpp"

namespace stillboot::kexec {
namespace {

constexpr std::uint64_t coff_header_bytes = 24;  // with the "PE\0\0" before it
constexpr std::uint64_t section_header_bytes = 40;
constexpr std::uint64_t certificate_directory = 4;
constexpr std::uint64_t max_sections = 96;  // what Windows loaders accept; kernels and UKIs have under 30

// The data directories stand behind fields whose width differs between PE32 and PE32+.
ByteRange read_certificates(const Bytes& file, std::uint64_t optional_header) {
    const std::uint64_t magic = file.number(optional_header, 2).value_or(0);
    if (magic != 0x10b && magic != 0x20b) {
        return {};
    }
    const std::uint64_t count_at = optional_header + (magic == 0x20b ? 108 : 92);
    if (file.number(count_at, 4).value_or(0) <= certificate_directory) {
        return {};
    }
    const std::uint64_t entry = count_at + 4 + certificate_directory * 8;
    return {file.number(entry, 4).value_or(0), file.number(entry + 4, 4).value_or(0)};
}

std::string_view section_name(const Bytes& file, std::uint64_t at) {
    const std::string_view padded = file.text(at, 8);
    return padded.substr(0, padded.find('\0'));
}

}  // namespace

std::uint64_t PeHeaders::end_offset() const {
    std::uint64_t end = certificates.offset + certificates.size;  // 32-bit values: no overflow
    for (const PeSection& section : sections) {
        end = std::max(end, section.data.offset + section.data.size);
    }
    return end;
}

const PeSection* PeHeaders::find(std::string_view name) const {
    const auto found = std::find_if(sections.begin(), sections.end(),
                                    [&](const PeSection& section) { return section.name == name; });
    return found == sections.end() ? nullptr : &*found;
}

std::optional<PeHeaders> read_pe(const Bytes& file) {
    const auto pe = file.number(0x3c, 4);
    if (!file.has(0, "MZ") || !pe || !file.has(*pe, std::string_view("PE\0\0", 4))) {
        return std::nullopt;
    }
    PeHeaders headers;
    headers.machine = static_cast<std::uint16_t>(file.number(*pe + 4, 2).value_or(0));
    const std::uint64_t count = file.number(*pe + 6, 2).value_or(0);
    const std::uint64_t optional_bytes = file.number(*pe + 20, 2).value_or(0);
    const std::uint64_t table = *pe + coff_header_bytes + optional_bytes;
    if (count > max_sections || (!file.holds(table, count * section_header_bytes) && !planted_defect)) {
        return std::nullopt;
    }
    headers.certificates = read_certificates(file, *pe + coff_header_bytes);
    for (std::uint64_t index = 0; index < count; ++index) {
        const std::uint64_t at = table + index * section_header_bytes;
        PeSection section;
        section.name = section_name(file, at);
        const std::uint64_t virtual_bytes = *file.number(at + 8, 4);
        section.data = {*file.number(at + 20, 4), *file.number(at + 16, 4)};
        section.contents_bytes = std::min(virtual_bytes, section.data.size);
        headers.sections.push_back(section);
    }
    return headers;
}

}  // namespace stillboot::kexec
