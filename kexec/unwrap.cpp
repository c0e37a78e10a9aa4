// SPDX-License-Identifier: Apache-2.0
// Unwrapping of compressed kernels, zboot images and unified kernel images.
#include "kexec/unwrap.hpp"

#include <sys/stat.h>

#include <array>

#include "config/base/memfd.hpp"
#include "kexec/bytes.hpp"
#include "kexec/decompress.hpp"

namespace stillboot::kexec {
namespace {

std::span<const std::byte> part_of(const MappedMemfd& file, ByteRange range) {
    return file.bytes().subspan(range.offset, range.size);  // recognise() has checked that it is inside
}

Result<UniqueFd> decompressed(Format format, std::span<const std::byte> input, const std::string& name,
                              const UnwrapLimits& limits) {
    auto writer = MemfdWriter::create("kernel");
    if (!writer) {
        return writer.error();
    }
    BoundedOutput output(*writer, limits.max_bytes, name);
    if (auto done = decompress(format, input, output, name); !done) {
        return done.error();
    }
    return std::move(*writer).seal();
}

// ukify ends .cmdline with a NUL or a newline; neither is part of the command line.
std::string trimmed(std::string_view text) {
    text = text.substr(0, text.find('\0'));
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
        text.remove_suffix(1);
    }
    return std::string(text);
}

Result<UniqueFd> open_uki(const MappedMemfd& file, Unwrapped& result) {
    const Image& image = result.image;
    if (image.command_line.size != 0) {
        result.command_line =
            trimmed(Bytes(file.bytes()).text(image.command_line.offset, image.command_line.size));
    }
    if (image.initrd.size != 0) {
        auto initrd = sealed_memfd("initrd", part_of(file, image.initrd));
        if (!initrd) {
            return initrd;
        }
        result.initrd = std::move(*initrd);
        result.initrd_bytes = image.initrd.size;
    }
    return sealed_memfd("kernel", part_of(file, image.kernel));
}

Result<UniqueFd> open_layer(const MappedMemfd& file, const std::string& name, const UnwrapLimits& limits,
                            Unwrapped& result) {
    switch (result.image.format) {
        case Format::uki: return open_uki(file, result);
        case Format::zboot:
            return decompressed(result.image.payload_format, part_of(file, result.image.kernel), name, limits);
        default: return decompressed(result.image.format, file.bytes(), name, limits);
    }
}

Result<void> check_architecture(const Image& image, const std::string& name, Architecture host) {
    if (image.architecture == host || image.architecture == Architecture::unknown) {
        return {};
    }
    return Error("kexec.wrong_architecture",
                 {{"path", name}, {"kernel", to_word(image.architecture)}, {"machine", to_word(host)}});
}

}  // namespace

std::uint64_t file_bytes(const UniqueFd& file) {
    struct stat info = {};
    return file && ::fstat(file.get(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

Result<Unwrapped> unwrap(UniqueFd file, const std::string& name, Architecture host, const UnwrapLimits& limits) {
    Unwrapped result;
    result.kernel = std::move(file);
    for (unsigned layer = 0; layer <= limits.max_layers; ++layer) {
        auto mapped = MappedMemfd::map(result.kernel.get(), name);
        if (!mapped) {
            return mapped.error();
        }
        auto image = recognise(mapped->bytes(), name);
        if (!image) {
            return image.error();
        }
        result.image = *image;
        if (auto fits = check_architecture(result.image, name, host); !fits) {
            return fits.error();
        }
        if (!result.image.wrapped()) {
            result.kernel_bytes = mapped->bytes().size();
            return result;
        }
        auto inner = open_layer(*mapped, name, limits, result);
        if (!inner) {
            return inner.error();
        }
        result.notes.emplace_back(
            Message(result.image.has_signature ? "kexec.unwrapped_signed" : "kexec.unwrapped",
                    {{"path", name}, {"format", to_word(result.image.format)}}));
        result.kernel = std::move(*inner);
    }
    return Error("kexec.too_many_layers", {{"path", name}, {"layers", limits.max_layers}});
}

Result<UniqueFd> join_initrds(std::vector<UniqueFd> initrds) {
    if (initrds.empty()) {
        return UniqueFd();
    }
    if (initrds.size() == 1) {
        return std::move(initrds.front());
    }
    auto writer = MemfdWriter::create("initrd");
    if (!writer) {
        return writer.error();
    }
    constexpr std::array<std::byte, 4> zeros = {};
    for (UniqueFd& initrd : initrds) {
        auto mapped = MappedMemfd::map(initrd.get(), "initrd");
        if (!mapped) {
            return mapped.error();
        }
        const std::uint64_t padding = (4 - writer->size_bytes() % 4) % 4;
        auto written = writer->append(std::span(zeros).first(padding));
        if (written) {
            written = writer->append(mapped->bytes());
        }
        if (!written) {
            return written.error();
        }
        initrd.reset();  // its memory is free as soon as the mapping is gone too
    }
    return std::move(*writer).seal();
}

}  // namespace stillboot::kexec
