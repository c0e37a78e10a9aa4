// SPDX-License-Identifier: Apache-2.0
// bzip2 by libbz2.
#include <bzlib.h>

#include <memory>
#include <vector>

#include "kexec/decompress.hpp"

namespace stillboot::kexec {

Result<void> decompress_bzip2(std::span<const std::byte> input, BoundedOutput& output, std::string_view name) {
    constexpr std::size_t chunk_bytes = 256 * 1024;
    bz_stream stream = {};
    if (::BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) {
        return compressed_damaged(Format::bzip2, name);
    }
    const std::unique_ptr<bz_stream, int (*)(bz_stream*)> cleanup(&stream, ::BZ2_bzDecompressEnd);
    std::vector<std::byte> chunk(chunk_bytes);
    stream.next_in = reinterpret_cast<char*>(const_cast<std::byte*>(input.data()));
    stream.avail_in = static_cast<unsigned>(input.size());
    for (;;) {
        stream.next_out = reinterpret_cast<char*>(chunk.data());
        stream.avail_out = static_cast<unsigned>(chunk.size());
        const int status = ::BZ2_bzDecompress(&stream);
        const std::size_t made = chunk.size() - stream.avail_out;
        if (auto written = output.append(std::span(chunk).first(made)); !written) {
            return written;
        }
        if (status == BZ_STREAM_END) {
            return {};
        }
        if (status != BZ_OK) {
            return compressed_damaged(Format::bzip2, name);
        }
        if (stream.avail_in == 0 && made == 0) {
            return compressed_truncated(Format::bzip2, name);
        }
    }
}

}  // namespace stillboot::kexec
