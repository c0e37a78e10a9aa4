// SPDX-License-Identifier: Apache-2.0
// zstd by libzstd.
#include <zstd.h>

#include <memory>
#include <vector>

#include "kexec/decompress.hpp"

namespace stillboot::kexec {

Result<void> decompress_zstd(std::span<const std::byte> input, BoundedOutput& output, std::string_view name) {
    constexpr int max_window_log = 27;  // 128 MiB: what Linux's own decompressor takes ("zstd22" uses 27)
    const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(::ZSTD_createDCtx(), ::ZSTD_freeDCtx);
    if (!context ||
        ::ZSTD_isError(::ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, max_window_log)) != 0) {
        return compressed_damaged(Format::zstd, name);
    }
    std::vector<std::byte> chunk(::ZSTD_DStreamOutSize());
    ZSTD_inBuffer in = {input.data(), input.size(), 0};
    for (;;) {
        ZSTD_outBuffer out = {chunk.data(), chunk.size(), 0};
        const std::size_t status = ::ZSTD_decompressStream(context.get(), &out, &in);
        if (::ZSTD_isError(status) != 0) {
            return compressed_damaged(Format::zstd, name);
        }
        if (auto written = output.append(std::span(chunk).first(out.pos)); !written) {
            return written;
        }
        if (status == 0) {
            return {};  // the end of the frame
        }
        if (in.pos == in.size && out.pos < out.size) {
            return compressed_truncated(Format::zstd, name);
        }
    }
}

}  // namespace stillboot::kexec
