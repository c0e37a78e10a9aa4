// SPDX-License-Identifier: Apache-2.0
// Validation of UTF-8.
#include "config/base/utf8.hpp"

#include <cstdint>

namespace stillboot {
namespace {

bool is_ascii(char c) {
    return c != '\0' && static_cast<std::uint8_t>(c) < 0x80;
}

/// The length of the valid sequence at the front, or 0.
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
    const std::uint8_t lead = byte(0);
    if (is_ascii(text[0])) {
        return 1;
    }
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) {
        return 0;
    }
    for (std::size_t at = 1; at < length; ++at) {
        if ((byte(at) & 0xC0) != 0x80) {
            return 0;
        }
    }
    const std::uint8_t second = byte(1);
    const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
    const bool surrogate = lead == 0xED && second >= 0xA0;
    const bool beyond = lead == 0xF4 && second >= 0x90;
    return overlong || surrogate || beyond ? 0 : length;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
    constexpr std::string_view replacement = "\xEF\xBF\xBD";
    std::string out;
    out.reserve(text.size());
    std::size_t good = 0;  // from here on nothing is copied yet
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = is_ascii(text[at]) ? 1 : sequence_length(text.substr(at));
        if (length == 0) {
            out.append(text.substr(good, at - good)).append(replacement);
            good = at + 1;
        }
        at += length == 0 ? 1 : length;
    }
    return out.append(text.substr(good));
}

}  // namespace stillboot
