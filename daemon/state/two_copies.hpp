// SPDX-License-Identifier: Apache-2.0
// A text kept in two copies, so that one that was torn by a power cut leaves the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stillboot::state {

/// One copy: a line "stillboot-state 1 SEQUENCE BYTES CRC32\n", then the text. CRC-32 of ISO 3309, in hex, over
/// the sequence number, a blank and the text.
struct Copy {
    std::uint64_t sequence = 0;
    std::string text;

    bool operator==(const Copy&) const = default;
};

[[nodiscard]] std::string encode_copy(const Copy& copy);

/// What a copy holds, whatever stands behind it; nothing where it is torn, empty or not one of ours.
[[nodiscard]] std::optional<Copy> decode_copy(std::string_view bytes);

/// True where it was written by a later version: it is not ours to overwrite.
[[nodiscard]] bool is_newer_format(std::string_view bytes);

/// True where a copy was written and cannot be read: what is there is neither nothing nor zeros, or the other copy
/// is not the first that was written.
[[nodiscard]] bool is_damaged(std::string_view bytes, const std::optional<Copy>& other);

/// Which of two to read: the whole one with the higher number. Nothing where neither is whole.
[[nodiscard]] std::optional<Copy> newest(const std::optional<Copy>& first, const std::optional<Copy>& second);

/// Which to overwrite, 0 or 1: the one that newest() would not read.
[[nodiscard]] int oldest(const std::optional<Copy>& first, const std::optional<Copy>& second);

}  // namespace stillboot::state
