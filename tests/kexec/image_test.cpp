// SPDX-License-Identifier: Apache-2.0
#include "kexec/image.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/kexec/made_images.hpp"

using namespace stillboot::kexec;
using namespace stillboot::test;

namespace {

stillboot::Result<Image> look(std::string_view file) {
    return recognise(bytes_of(file), "/vmlinuz");
}

std::string refusal(std::string_view file) {
    const auto image = look(file);
    return image ? std::string("accepted") : image.error().sentence();
}

}  // namespace

TEST_SUITE("kexec") {
    TEST_CASE("each format is recognised with its architecture and its whole size") {
        struct Row {
            const char* name;
            std::string file;
            Format format;
            Architecture architecture;
            std::uint64_t expected_bytes;
        };
        const Row rows[] = {
            {"bzImage", made_bzimage(), Format::bzimage, Architecture::x86, 2048 + 4096},
            {"ELF for POWER", made_elf(21), Format::elf, Architecture::ppc, 1120},
            {"ELF for x86", made_elf(62), Format::elf, Architecture::x86, 1120},
            {"arm64 Image", made_arm64_image(), Format::arm64_image, Architecture::arm64, 1024 + 3072},
            {"zboot", made_zboot("gzip", "payload"), Format::zboot, Architecture::arm64, 1536},
            {"UKI", made_pe(0x8664, {{".linux", "kernel"}}), Format::uki, Architecture::x86, 1536},
            {"gzip", "\x1f\x8b\x08 and so on", Format::gzip, Architecture::unknown, 0},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto image = look(row.file);
            REQUIRE(image);
            CHECK(image->format == row.format);
            CHECK(image->architecture == row.architecture);
            CHECK(image->expected_bytes == row.expected_bytes);
        }
    }

    TEST_CASE("a file cut short anywhere is refused with the number of missing bytes") {
        for (const std::string& whole : {made_bzimage(), made_elf(21), made_zboot("gzip", "payload"),
                                         made_pe(0x8664, {{".linux", "kernel"}}), made_arm64_image()}) {
            for (std::size_t length = 0x210; length < whole.size(); length += 37) {
                const auto image = look(std::string_view(whole).substr(0, length));
                REQUIRE_FALSE(image);
                REQUIRE(image.error().code() == "kexec.image_truncated");
            }
            CHECK(look(whole).has_value());
        }
        CHECK(refusal(made_bzimage().substr(0, 6000)) ==
              "/vmlinuz is cut short: 144 of its 6144 bytes are missing");
    }

    TEST_CASE("bytes behind the kernel are no fault, a signature among them is required whole") {
        CHECK(look(made_bzimage() + "appended").has_value());
        std::string with_stub = made_bzimage(8192);
        put(with_stub, 0, "MZ");
        put(with_stub, 0x3c, 0x80, 4);
        put(with_stub, 0x80, std::string_view("PE\0\0\x64\x86\0\0", 8));
        put(with_stub, 0x80 + 20, 240, 2);
        put(with_stub, 0x80 + 24, 0x20b, 2);
        put(with_stub, 0x80 + 24 + 108, 6, 4);
        const std::string signed_kernel = with_certificates(with_stub, 1500);
        const auto image = look(signed_kernel);
        REQUIRE(image);
        CHECK(image->has_signature);
        CHECK(image->expected_bytes == 10240 + 1500);
        CHECK(refusal(signed_kernel.substr(0, 11000)) ==
              "/vmlinuz is cut short: 740 of its 11740 bytes are missing");
    }

    TEST_CASE("what is no kernel is called what it is") {
        CHECK(refusal("") == "/vmlinuz is empty");
        CHECK(refusal("menuentry {\n") == "/vmlinuz is a text file, not a kernel");
        CHECK(refusal("Kern\xc3\xa9l\n") == "/vmlinuz is a text file, not a kernel");
        CHECK(refusal("0707010000") == "/vmlinuz is an initrd (a cpio archive), not a kernel");
        CHECK(refusal(std::string(5000, '\0')) == "/vmlinuz is not a kernel in any format that is known here");
        CHECK(refusal("MZ and nothing\0more") == "/vmlinuz is a text file, not a kernel");
    }

    TEST_CASE("numbers in headers that cannot be are damage, never an access outside of the file") {
        const std::uint64_t huge[] = {~std::uint64_t{0}, ~std::uint64_t{0} - 55, std::uint64_t{1} << 63};
        for (const std::uint64_t value : huge) {
            std::string elf = made_elf(21);
            put(elf, 32, value, 8);
            CHECK(refusal(elf) == "/vmlinuz is damaged: its ELF headers contradict each other");
            elf = made_elf(21);
            put(elf, 64 + 8, value, 8);
            CHECK(refusal(elf) == "/vmlinuz is damaged: its ELF headers contradict each other");
        }
        std::string kernel = made_bzimage();
        put(kernel, 0x24c, 0xffffffff, 4);
        CHECK(refusal(kernel) == "/vmlinuz is damaged: its bzImage headers contradict each other");
        kernel = made_bzimage();
        put(kernel, 0x206, 0x0203, 2);
        CHECK(refusal(kernel) ==
              "/vmlinuz is a kernel of boot protocol 2.3, older than 2.6.22: it cannot be loaded");
        CHECK(refusal(made_zboot("rot13", "x")) ==
              "/vmlinuz is compressed in a way that is not known here (rot13)");
    }

    TEST_CASE("the command line may have what the image allows and not one byte more") {
        const Image x86 = look(made_bzimage()).value();
        CHECK(check_command_line(x86, std::string(2016, 'a')).has_value());
        CHECK(check_command_line(x86, std::string(2017, 'a')).error().sentence() ==
              "the command line has 2017 bytes, and this x86 kernel can be given 2016 at most");
        const Image ppc = look(made_elf(21)).value();
        CHECK(check_command_line(ppc, std::string(2047, 'a')).has_value());
        CHECK_FALSE(check_command_line(ppc, std::string(2048, 'a')).has_value());
        CHECK_FALSE(check_command_line(look(made_elf(243)).value(), std::string(1024, 'a')).has_value());
        CHECK(check_command_line(x86, "quiet\nsplash").error().sentence() ==
              "the command line has a newline or a zero byte at position 6");
    }

    TEST_CASE("a kernel as a distribution ships it is whole, and cut short by one byte it is not" *
              doctest::skip(std::getenv("STILLBOOT_TEST_KERNEL") == nullptr)) {
        std::ifstream stream(std::getenv("STILLBOOT_TEST_KERNEL"), std::ios::binary);
        std::stringstream text;
        text << stream.rdbuf();
        const std::string file = text.str();
        const auto image = look(file);
        REQUIRE(image);
        CHECK(image->expected_bytes <= file.size());
        CHECK(file.size() - image->expected_bytes < 16);
        CHECK_FALSE(look(std::string_view(file).substr(0, image->expected_bytes - 1)).has_value());
    }
}
