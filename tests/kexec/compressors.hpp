// SPDX-License-Identifier: Apache-2.0
// The other direction of each library, for tests.
#pragma once

#include <bzlib.h>
#include <doctest/doctest.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <string>
#include <string_view>

#include "tests/kexec/made_images.hpp"

namespace stillboot::test {

inline std::string gzipped(std::string_view text) {
    z_stream stream = {};
    deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

inline std::string lzma_coded(lzma_stream& stream, std::string_view text) {
    std::string out(text.size() + 65536, '\0');
    stream.next_in = reinterpret_cast<const std::uint8_t*>(text.data());
    stream.avail_in = text.size();
    stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream.avail_out = out.size();
    REQUIRE(lzma_code(&stream, LZMA_FINISH) == LZMA_STREAM_END);
    out.resize(stream.total_out);
    lzma_end(&stream);
    return out;
}

inline std::string xzipped(std::string_view text) {
    lzma_stream stream = LZMA_STREAM_INIT;
    REQUIRE(lzma_easy_encoder(&stream, 6, LZMA_CHECK_CRC32) == LZMA_OK);
    return lzma_coded(stream, text);
}

inline std::string lzmaed(std::string_view text) {
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_options_lzma options;
    lzma_lzma_preset(&options, 6);
    REQUIRE(lzma_alone_encoder(&stream, &options) == LZMA_OK);
    return lzma_coded(stream, text);
}

inline std::string zstded(std::string_view text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
    return out;
}

inline std::string bzipped(std::string_view text) {
    auto size = static_cast<unsigned>(text.size() + 4096);
    std::string out(size, '\0');
    BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(text.data()), static_cast<unsigned>(text.size()),
                             9, 0, 0);
    out.resize(size);
    return out;
}

/// The legacy frame of Linux, without the size that Linux appends.
inline std::string lz4ed(std::string_view text) {
    constexpr std::size_t block = std::size_t{8} << 20;
    std::string out = "\x02\x21\x4c\x18";
    while (!text.empty()) {
        const std::string_view part = text.substr(0, block);
        std::string packed(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(part.size()))), '\0');
        packed.resize(static_cast<std::size_t>(LZ4_compress_default(
            part.data(), packed.data(), static_cast<int>(part.size()), static_cast<int>(packed.size()))));
        std::string header(4, '\0');
        put(header, 0, packed.size(), 4);
        out += header + packed;
        text.remove_prefix(part.size());
    }
    return out;
}

}  // namespace stillboot::test
