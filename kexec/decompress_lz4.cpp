// SPDX-License-Identifier: Apache-2.0
// The legacy LZ4 frame, which Linux uses: a magic, then blocks with their compressed size before them, each of
// 8 MiB when decompressed but the last.
#include <lz4.h>

#include <algorithm>
#include <vector>

#include "kexec/bytes.hpp"
#include "kexec/decompress.hpp"

namespace stillboot::kexec {

Result<void> decompress_lz4(std::span<const std::byte> input, BoundedOutput& output, std::string_view name) {
    constexpr std::size_t block_bytes = std::size_t{8} << 20;
    constexpr std::uint64_t legacy_magic = 0x184c2102;
    const Bytes file(input);
    std::vector<char> block(block_bytes);
    std::uint64_t at = 4;
    for (;;) {
        const auto size = file.number(at, 4);
        if (!size || *size == 0) {
            return at == 4 ? Result<void>(compressed_truncated(Format::lz4, name)) : Result<void>();
        }
        at += 4;
        if (*size == legacy_magic) {
            continue;  // frames may be joined
        }
        if (*size > static_cast<std::uint64_t>(LZ4_COMPRESSBOUND(static_cast<int>(block_bytes)))) {
            // Not a block: the uncompressed size that Linux appends, if it is the last number there is.
            return file.size() == at ? Result<void>() : Result<void>(compressed_damaged(Format::lz4, name));
        }
        if (!file.holds(at, *size)) {
            const bool appended_size = file.size() == at;
            return appended_size ? Result<void>() : Result<void>(compressed_truncated(Format::lz4, name));
        }
        const auto part = file.text(at, *size);
        const int made = ::LZ4_decompress_safe(part.data(), block.data(), static_cast<int>(part.size()),
                                               static_cast<int>(block.size()));
        if (made < 0) {
            return compressed_damaged(Format::lz4, name);
        }
        if (auto written = output.append(std::as_bytes(std::span(block).first(static_cast<std::size_t>(made))));
            !written) {
            return written;
        }
        at += *size;
    }
}

}  // namespace stillboot::kexec
