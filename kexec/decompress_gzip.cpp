// SPDX-License-Identifier: Apache-2.0
// gzip by zlib.
#include <zlib.h>

#include <memory>
#include <vector>

#include "kexec/decompress.hpp"

namespace stillboot::kexec {

Result<void> decompress_gzip(std::span<const std::byte> input, BoundedOutput& output, std::string_view name) {
    constexpr std::size_t chunk_bytes = 256 * 1024;
    constexpr int gzip_only = 16 + MAX_WBITS;
    z_stream stream = {};
    if (::inflateInit2(&stream, gzip_only) != Z_OK) {
        return compressed_damaged(Format::gzip, name);
    }
    const std::unique_ptr<z_stream, int (*)(z_stream*)> cleanup(&stream, ::inflateEnd);
    std::vector<std::byte> chunk(chunk_bytes);
    // avail_in is 32 bits wide; a kernel file is at most 512 MiB.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data()));
    stream.avail_in = static_cast<uInt>(input.size());
    for (;;) {
        stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
        stream.avail_out = static_cast<uInt>(chunk.size());
        const int status = ::inflate(&stream, Z_NO_FLUSH);
        const std::size_t made = chunk.size() - stream.avail_out;
        if (auto written = output.append(std::span(chunk).first(made)); !written) {
            return written;
        }
        if (status == Z_STREAM_END) {
            return {};
        }
        if (status == Z_BUF_ERROR || (status == Z_OK && stream.avail_in == 0 && made == 0)) {
            return compressed_truncated(Format::gzip, name);
        }
        if (status != Z_OK) {
            return compressed_damaged(Format::gzip, name);
        }
    }
}

}  // namespace stillboot::kexec
