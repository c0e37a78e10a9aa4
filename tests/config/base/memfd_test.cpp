// SPDX-License-Identifier: Apache-2.0
// Sealed memory files: what is written is read back, and sealed.
#include "config/base/memfd.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>

using stillboot::MappedMemfd;
using stillboot::MemfdWriter;
using stillboot::UniqueFd;

TEST_SUITE("base") {
    TEST_CASE("a sealed memfd holds what was appended and refuses to be changed") {
        auto writer = MemfdWriter::create("test");
        REQUIRE(writer);
        REQUIRE(writer->append("abc"));
        REQUIRE(writer->append("def"));
        CHECK(writer->size_bytes() == 6);
        auto fd = std::move(*writer).seal();
        REQUIRE(fd);
        CHECK(::write(fd->get(), "x", 1) == -1);
        CHECK(errno == EPERM);
        CHECK(::ftruncate(fd->get(), 1) == -1);
        auto mapped = MappedMemfd::map(fd->get(), "test");
        REQUIRE(mapped);
        fd->reset();
        CHECK(std::to_integer<char>(mapped->bytes()[5]) == 'f');
        CHECK(mapped->bytes().size() == 6);
    }

    TEST_CASE("an empty memfd maps to no bytes") {
        auto fd = stillboot::sealed_memfd("empty", "");
        REQUIRE(fd);
        CHECK(MappedMemfd::map(fd->get(), "empty")->bytes().empty());
    }

    TEST_CASE("a file that could shrink is not mapped") {
        const UniqueFd fd(::memfd_create("loose", MFD_ALLOW_SEALING));
        auto mapped = MappedMemfd::map(fd.get(), "loose");
        REQUIRE_FALSE(mapped);
        CHECK(mapped.error().sentence() == "loose is not a sealed memory file");
    }
}
