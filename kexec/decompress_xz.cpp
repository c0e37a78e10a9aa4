// SPDX-License-Identifier: Apache-2.0
// xz and the older lzma format by liblzma.
#include <lzma.h>

#include <memory>
#include <vector>

#include "kexec/decompress.hpp"

namespace stillboot::kexec {

Result<void> decompress_xz(std::span<const std::byte> input, BoundedOutput& output, std::string_view name) {
    constexpr std::size_t chunk_bytes = 256 * 1024;
    constexpr std::uint64_t memory_limit_bytes =
        256 << 20;  // xz -9 needs 65 MiB; a hostile header could ask for 4 GiB
    lzma_stream stream = LZMA_STREAM_INIT;
    const std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> cleanup(&stream, ::lzma_end);
    const bool xz = !input.empty() && std::to_integer<unsigned>(input[0]) == 0xfd;
    const Format format = xz ? Format::xz : Format::lzma;
    if (::lzma_auto_decoder(&stream, memory_limit_bytes, 0) != LZMA_OK) {
        return compressed_damaged(format, name);
    }
    std::vector<std::byte> chunk(chunk_bytes);
    stream.next_in = reinterpret_cast<const std::uint8_t*>(input.data());
    stream.avail_in = input.size();
    for (;;) {
        stream.next_out = reinterpret_cast<std::uint8_t*>(chunk.data());
        stream.avail_out = chunk.size();
        const lzma_ret status = ::lzma_code(&stream, LZMA_FINISH);
        const std::size_t made = chunk.size() - stream.avail_out;
        if (auto written = output.append(std::span(chunk).first(made)); !written) {
            return written;
        }
        if (status == LZMA_STREAM_END) {
            return {};
        }
        if (status == LZMA_BUF_ERROR) {
            return compressed_truncated(format, name);
        }
        if (status != LZMA_OK) {
            return compressed_damaged(format, name);
        }
    }
}

}  // namespace stillboot::kexec
