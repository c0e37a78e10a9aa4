// SPDX-License-Identifier: Apache-2.0
// Encoding, checking and choosing of copies.
#include "daemon/state/two_copies.hpp"

#include <boost/crc.hpp>
#include <charconv>

namespace stillboot::state {
namespace {

constexpr std::string_view magic = "stillboot-state ";
constexpr std::string_view version = "1 ";

std::uint32_t checksum(std::uint64_t sequence, std::string_view text) {
    const std::string number = std::to_string(sequence) + " ";
    boost::crc_32_type crc;
    crc.process_bytes(number.data(), number.size());
    crc.process_bytes(text.data(), text.size());
    return crc.checksum();
}

// The number at the start, which a separator must end; both are taken away.
std::optional<std::uint64_t> take_number(std::string_view& bytes, int base, char separator) {
    std::uint64_t value = 0;
    const char* const end = bytes.data() + bytes.size();
    const auto parsed = std::from_chars(bytes.data(), end, value, base);
    if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != separator) {
        return std::nullopt;
    }
    bytes.remove_prefix(static_cast<std::size_t>(parsed.ptr - bytes.data()) + 1);
    return value;
}

}  // namespace

std::string encode_copy(const Copy& copy) {
    char crc[9] = {};
    std::to_chars(crc, crc + 8, checksum(copy.sequence, copy.text), 16);
    return std::string(magic) + std::string(version) + std::to_string(copy.sequence) + " " +
           std::to_string(copy.text.size()) + " " + crc + "\n" + copy.text;
}

std::optional<Copy> decode_copy(std::string_view bytes) {
    if (!bytes.starts_with(magic) || !bytes.substr(magic.size()).starts_with(version)) {
        return std::nullopt;
    }
    bytes.remove_prefix(magic.size() + version.size());
    const auto sequence = take_number(bytes, 10, ' ');
    const auto size = sequence ? take_number(bytes, 10, ' ') : std::nullopt;
    const auto crc = size ? take_number(bytes, 16, '\n') : std::nullopt;
    if (!crc || *size > bytes.size()) {
        return std::nullopt;
    }
    Copy copy{*sequence, std::string(bytes.substr(0, *size))};
    return checksum(copy.sequence, copy.text) == *crc ? std::optional(std::move(copy)) : std::nullopt;
}

bool is_newer_format(std::string_view bytes) {
    if (!bytes.starts_with(magic)) {
        return false;
    }
    bytes.remove_prefix(magic.size());
    const auto number = take_number(bytes, 10, ' ');
    return number && *number > 1;
}

bool is_damaged(std::string_view bytes, const std::optional<Copy>& other) {
    const bool written = bytes.find_first_not_of('\0') != bytes.npos || (other && other->sequence > 1);
    return written && !decode_copy(bytes) && !is_newer_format(bytes);
}

std::optional<Copy> newest(const std::optional<Copy>& first, const std::optional<Copy>& second) {
    return oldest(first, second) == 0 ? second : first;
}

int oldest(const std::optional<Copy>& first, const std::optional<Copy>& second) {
    if (!first) {
        return 0;
    }
    return second && second->sequence > first->sequence ? 0 : 1;
}

}  // namespace stillboot::state
