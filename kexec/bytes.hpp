// SPDX-License-Identifier: Apache-2.0
// Reading numbers from untrusted bytes, each access checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace stillboot::kexec {

enum class Endian { little, big };

class Bytes {
public:
    explicit Bytes(std::span<const std::byte> bytes, Endian endian = Endian::little)
        : bytes_(bytes), endian_(endian) {}

    [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }
    /// True where this range lies inside, computed without overflow.
    [[nodiscard]] bool holds(std::uint64_t offset, std::uint64_t length) const {
        return offset <= bytes_.size() && length <= bytes_.size() - offset;
    }
    /// A number of 1, 2, 4 or 8 bytes; empty past the end.
    [[nodiscard]] std::optional<std::uint64_t> number(std::uint64_t offset, unsigned width) const {
        if (!holds(offset, width)) {
            return std::nullopt;
        }
        std::uint64_t value = 0;
        for (unsigned at = 0; at < width; ++at) {
            const unsigned index = endian_ == Endian::big ? at : width - 1 - at;
            value = value << 8 | std::to_integer<std::uint64_t>(bytes_[offset + index]);
        }
        return value;
    }
    [[nodiscard]] bool has(std::uint64_t offset, std::string_view magic) const {
        return holds(offset, magic.size()) && text(offset, magic.size()) == magic;
    }
    /// The bytes of a range as text; the range must be inside.
    [[nodiscard]] std::string_view text(std::uint64_t offset, std::uint64_t length) const {
        const auto part = bytes_.subspan(offset, length);
        return {reinterpret_cast<const char*>(part.data()), part.size()};
    }

private:
    std::span<const std::byte> bytes_;
    Endian endian_;
};

}  // namespace stillboot::kexec
