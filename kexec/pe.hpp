// SPDX-License-Identifier: Apache-2.0
// The little of PE/COFF that kernels with an EFI stub need: sections and the certificate table.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "kexec/bytes.hpp"
#include "kexec/image.hpp"

namespace stillboot::kexec {

struct PeSection {
    std::string_view name;
    ByteRange data;                    ///< as stored in the file, padding included
    std::uint64_t contents_bytes = 0;  ///< without padding
};

struct PeHeaders {
    std::uint16_t machine = 0;
    std::vector<PeSection> sections;
    ByteRange certificates;

    /// Where the last section or certificate ends in a whole file.
    [[nodiscard]] std::uint64_t end_offset() const;
    /// The first section of a name, or none.
    [[nodiscard]] const PeSection* find(std::string_view name) const;
};

/// The headers of an EFI application, or nothing where this is none or its headers are incomplete. What they
/// point to may lie outside of the file. Lifetime: names point into the file.
[[nodiscard]] std::optional<PeHeaders> read_pe(const Bytes& file);

}  // namespace stillboot::kexec
