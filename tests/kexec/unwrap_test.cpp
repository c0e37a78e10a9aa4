// SPDX-License-Identifier: Apache-2.0
#include "kexec/unwrap.hpp"

#include <doctest/doctest.h>

#include "tests/kexec/compressors.hpp"

using namespace stillboot::kexec;
using namespace stillboot::test;

namespace {

struct Packing {
    const char* name;
    std::string (*pack)(std::string_view);
};
constexpr Packing packings[] = {{"gzip", gzipped}, {"xz", xzipped}, {"lzma", lzmaed},
                                {"zstd", zstded},  {"lz4", lz4ed},  {"bzip2", bzipped}};

stillboot::Result<Unwrapped> unwrapped(std::string_view file, Architecture host = Architecture::x86,
                                       const UnwrapLimits& limits = {}) {
    return unwrap(sealed(file), "/vmlinuz", host, limits);
}

}  // namespace

TEST_SUITE("kexec") {
    TEST_CASE("a kernel in each compression comes out as it went in, sealed, with a note") {
        const std::string kernel = made_bzimage(300'000);
        for (const Packing& packing : packings) {
            CAPTURE(packing.name);
            const auto result = unwrapped(packing.pack(kernel));
            REQUIRE(result);
            CHECK(contents_of(result->kernel) == kernel);
            CHECK(result->kernel_bytes == kernel.size());
            REQUIRE(result->notes.size() == 1);
            CHECK(result->notes[0].sentence() == "/vmlinuz: unwrapped from " + std::string(packing.name));
        }
    }

    TEST_CASE("a compressed kernel cut at any place is refused, and no crash") {
        const std::string kernel = made_bzimage(4096);
        for (const Packing& packing : packings) {
            const std::string packed = packing.pack(kernel);
            for (std::size_t length = 5; length < packed.size(); length += 3) {
                CAPTURE(packing.name);
                CAPTURE(length);
                CHECK_FALSE(unwrapped(std::string_view(packed).substr(0, length)).has_value());
            }
        }
        const std::string packed = gzipped(kernel);
        CHECK(unwrapped(packed.substr(0, packed.size() / 2)).error().sentence() ==
              "/vmlinuz is cut short: its gzip data ends in the middle");
    }

    TEST_CASE("damaged data is called damaged") {
        for (const Packing& packing : packings) {
            CAPTURE(packing.name);
            std::string packed = packing.pack(made_bzimage(300'000));
            for (std::size_t at = 12; at < packed.size(); at += 5) {
                packed[at] = static_cast<char>(~packed[at]);
            }
            const auto result = unwrapped(packed);
            REQUIRE_FALSE(result);
            CHECK(result.error().message().param("path") == "/vmlinuz");
        }
    }

    TEST_CASE("a bomb stops at the limit") {
        UnwrapLimits limits;
        limits.max_bytes = 1 << 20;
        for (const Packing& packing : packings) {
            CAPTURE(packing.name);
            const auto result =
                unwrapped(packing.pack(std::string((1 << 20) + 1, '\0')), Architecture::x86, limits);
            REQUIRE_FALSE(result);
            CHECK(result.error().sentence() ==
                  "/vmlinuz becomes larger than 1048576 bytes when it is decompressed: that is not a kernel");
        }
    }

    TEST_CASE("layers end: a stream in a stream in a stream is no kernel") {
        std::string file = made_bzimage();
        for (int layer = 0; layer < 6; ++layer) {
            file = gzipped(file);
        }
        CHECK(unwrapped(file).error().sentence() ==
              "/vmlinuz is wrapped in more than 4 layers: that is not a kernel");
    }

    TEST_CASE("a UKI gives its kernel, its initrd and its command line without padding") {
        const std::string kernel = made_bzimage();
        const auto result =
            unwrapped(with_certificates(made_pe(0x8664, {{".linux", kernel},
                                                         {".initrd", "0707"},
                                                         {".cmdline", std::string("root=/dev/vda \n\0", 16)}}),
                                        100));
        REQUIRE(result);
        CHECK(contents_of(result->kernel) == kernel);
        CHECK(contents_of(result->initrd) == "0707");
        CHECK(result->initrd_bytes == 4);
        CHECK(result->command_line == "root=/dev/vda");
        CHECK(result->notes.at(0).code() == "kexec.unwrapped_signed");
    }

    TEST_CASE("a zboot image gives the kernel inside") {
        const std::string kernel = made_arm64_image();
        for (const Packing& packing : {packings[0], packings[1], packings[3]}) {
            const std::string word = packing.name == std::string("xz") ? "xzkern" : packing.name;
            const auto result = unwrapped(made_zboot(word, packing.pack(kernel)), Architecture::arm64);
            REQUIRE(result);
            CHECK(contents_of(result->kernel) == kernel);
            CHECK(result->image.format == Format::arm64_image);
        }
    }

    TEST_CASE("a kernel for another machine is refused by both names") {
        CHECK(unwrapped(made_elf(21)).error().sentence() ==
              "/vmlinuz is a kernel for POWER, and this machine is x86");
    }

    TEST_CASE("initrds are joined in order, each at a multiple of four bytes") {
        std::vector<stillboot::UniqueFd> parts;
        parts.push_back(sealed("abcde"));
        parts.push_back(sealed("fgh"));
        parts.push_back(sealed("ijkl"));
        const auto joined = join_initrds(std::move(parts));
        REQUIRE(joined);
        CHECK(contents_of(*joined) == std::string("abcde\0\0\0fgh\0ijkl", 16));
    }

    TEST_CASE("one initrd is handed on as it is, none is none") {
        std::vector<stillboot::UniqueFd> parts;
        CHECK_FALSE(join_initrds({}).value());
        parts.push_back(sealed("abc"));
        const int fd = parts[0].get();
        CHECK(join_initrds(std::move(parts))->get() == fd);
    }
}
