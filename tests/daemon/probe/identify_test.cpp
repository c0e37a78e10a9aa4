// SPDX-License-Identifier: Apache-2.0
#include "daemon/probe/identify.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstring>

#include "daemon/probe/journal.hpp"
#include "tests/daemon/probe/images.hpp"

using namespace stillboot;
using namespace stillboot::probe;
using stillboot::test::TemporaryTree;

namespace {

Identity identity_of(const std::string& image) {
    const UniqueFd fd(::open(image.c_str(), O_RDONLY | O_CLOEXEC));
    auto direct = identify(fd.get(), "the image");
    auto confined = identify_confined(fd.get(), "the image");
    REQUIRE(direct);
    REQUIRE(confined);
    CHECK(direct->index() == confined->index());
    return std::move(*confined);
}

FileSystem file_system_of(const std::string& image) {
    Identity identity = identity_of(image);
    REQUIRE(std::holds_alternative<FileSystem>(identity));
    return std::get<FileSystem>(std::move(identity));
}

std::string sentence_of(const Identity& identity) {
    if (const auto* container = std::get_if<Container>(&identity)) {
        return std::string(to_word(container->kind)) + ": " + container->reason.sentence();
    }
    const auto* nothing = std::get_if<Nothing>(&identity);
    return nothing != nullptr ? nothing->reason.sentence() : "a file system";
}

void put(const std::string& image, off_t offset, std::string_view bytes) {
    const UniqueFd fd(::open(image.c_str(), O_WRONLY | O_CLOEXEC));
    REQUIRE(::pwrite(fd.get(), bytes.data(), bytes.size(), offset) == static_cast<ssize_t>(bytes.size()));
}

std::string le(std::uint64_t number, std::size_t bytes) {
    std::string out;
    for (std::size_t i = 0; i < bytes; ++i) {
        out.push_back(static_cast<char>(number >> (8 * i) & 0xff));
    }
    return out;
}

// The checksum of an LVM label: CRC-32 with a start value of its own and no final inversion.
std::uint32_t lvm_checksum(std::string_view bytes) {
    std::uint32_t crc = 0xf597a6cf;
    for (const char byte : bytes) {
        crc ^= static_cast<unsigned char>(byte);
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320U : 0U);
        }
    }
    return crc;
}

std::string lvm_label() {
    std::string rest = le(32, 4) + "LVM2 001" + std::string(32, 'u');
    rest.resize(512 - 20, '\0');
    return "LABELONE" + le(1, 8) + le(lvm_checksum(rest), 4) + rest;
}

}  // namespace

TEST_SUITE("probe") {
    TEST_CASE("each file system is known with its UUID and label") {
        struct Row {
            std::string type;
            std::vector<std::string> make;
            off_t mebibytes;
            std::string uuid;
        };
        const std::string uuid = "11112222-3333-4444-8555-666677778888";
        const std::vector<Row> rows = {
            {"ext4", {"mkfs.ext4", "-q", "-F", "-U", uuid, "-L", "disk"}, 16, uuid},
            {"ext4", {"mkfs.ext2", "-q", "-F", "-U", uuid, "-L", "disk"}, 16, uuid},
            {"xfs", {"mkfs.xfs", "-q", "-m", "uuid=" + uuid, "-L", "disk"}, 320, uuid},
            {"btrfs", {"mkfs.btrfs", "-q", "-U", uuid, "-L", "disk"}, 128, uuid},
            {"vfat", {"mkfs.vfat", "-i", "1234ABCD", "-n", "disk"}, 16, "1234-ABCD"},
            {"f2fs", {"mkfs.f2fs", "-q", "-l", "disk"}, 64, ""},
        };
        for (const auto& row : rows) {
            CAPTURE(row.make.front());
            const TemporaryTree tree;
            const std::string image = test::make_empty_image(tree, "disk.img", row.mebibytes << 20);
            auto make = row.make;
            make.push_back(image);
            REQUIRE(test::run(make));
            const FileSystem system = file_system_of(image);
            CHECK(system.type == row.type);
            CHECK((row.uuid.empty() || system.uuid == row.uuid));
            CHECK(system.label.find_first_of("dD") == 0);
            CHECK_FALSE(system.journal_pending);
        }
    }

    TEST_CASE("containers are named, with the words that they cannot be opened yet") {
        const TemporaryTree tree;
        const std::string lvm = test::make_empty_image(tree, "lvm", off_t{4} << 20);
        put(lvm, 512, lvm_label());
        CHECK(sentence_of(identity_of(lvm)) ==
              "lvm: holds an LVM physical volume, which this build cannot open yet");

        const std::string md = test::make_empty_image(tree, "md", off_t{4} << 20);
        put(md, 4096, le(0xa92b4efc, 4) + le(1, 4) + std::string(120, '\1') + le(0, 8) + le(8, 8) + le(8, 8));
        put(md, 4096 + 144, le(8, 8));           // super_offset in sectors
        put(md, 4096 + 216, le(0xc7496d2b, 4));  // sb_csum: the sum of all words, which newer libblkid checks
        CHECK(sentence_of(identity_of(md)) ==
              "md: holds a member of a Linux MD array, which this build cannot open yet");

        const std::string luks = test::make_empty_image(tree, "luks", off_t{32} << 20);
        REQUIRE(test::run({"sh", "-c",
                           "echo -n x | cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations "
                           "1000 " +
                               luks + " -"}));
        CHECK(sentence_of(identity_of(luks)) ==
              "luks: holds a LUKS encrypted volume, which this build cannot open yet");
    }

    TEST_CASE("a btrfs of several devices is a container") {
        const TemporaryTree tree;
        const std::string one = test::make_empty_image(tree, "one", off_t{128} << 20);
        const std::string two = test::make_empty_image(tree, "two", off_t{128} << 20);
        REQUIRE(test::run({"mkfs.btrfs", "-q", "-m", "raid1", "-d", "raid1", one, two}));
        CHECK(sentence_of(identity_of(one)) ==
              "btrfs: holds one of the 2 devices of a btrfs, which this build cannot open yet");
    }

    TEST_CASE("swap, an empty device, a partition table and a foreign file system are nothing, with the reason") {
        const TemporaryTree tree;
        const std::string empty = test::make_empty_image(tree, "empty", off_t{4} << 20);
        CHECK(sentence_of(identity_of(empty)) == "holds nothing that is known");
        const std::string swap = test::make_empty_image(tree, "swap", off_t{4} << 20);
        REQUIRE(test::run({"mkswap", "-q", swap}));
        CHECK(sentence_of(identity_of(swap)) == "holds swap space");
        const std::string table = test::make_empty_image(tree, "table", off_t{4} << 20);
        REQUIRE(test::run({"sh", "-c", "echo 'size=1M' | sfdisk -q -X gpt " + table}));
        CHECK(sentence_of(identity_of(table)) ==
              "holds a partition table (gpt); its partitions are looked at one by one");
        const std::string foreign = test::make_empty_image(tree, "foreign", off_t{4} << 20);
        put(foreign, 0, std::string_view("hsqs\0", 4));  // a squashfs header without anything that belongs to it
        put(foreign, 0, std::string_view("-rom1fs-\0\0\1\0\xa1\x27\x1c\x66", 16));  // its words add up to 0
        CHECK(sentence_of(identity_of(foreign)) == "holds romfs, which this build does not read");
    }

    TEST_CASE("a device of no size is nothing or unreadable, never a crash") {
        const TemporaryTree tree;
        const std::string image = test::make_empty_image(tree, "disk.img", 0);
        const UniqueFd fd(::open(image.c_str(), O_RDONLY | O_CLOEXEC));
        const auto identity = identify_confined(fd.get(), "the image");
        CHECK((!identity || std::holds_alternative<Nothing>(*identity)));
    }

    TEST_CASE("an ext4 whose superblock asks for recovery has a pending journal") {
        const TemporaryTree tree;
        const std::string image = test::make_ext4(tree, "disk.img");
        CHECK_FALSE(file_system_of(image).journal_pending);
        REQUIRE(test::run({"debugfs", "-w", "-R", "feature needs_recovery", image}));
        CHECK(file_system_of(image).journal_pending);
    }

    TEST_CASE("an xfs that was shut down has a pending log, and none once it was unmounted cleanly") {
        if (const std::string reason = test::why_no_mounts(); !reason.empty()) {
            MESSAGE("skipped: " << reason);
            return;
        }
        const TemporaryTree tree;
        const std::string image = test::make_empty_image(tree, "disk.img", off_t{320} << 20);
        REQUIRE(test::run({"mkfs.xfs", "-q", image}));
        const std::string at = (tree.path() / "at").string();
        const auto use = [&](const std::string& commands) {
            return test::run({"unshare", "-m", "sh", "-c",
                              "set -e; mkdir -p " + at + "; mount -t xfs -o loop " + image + " " + at + "; cd " +
                                  at + "; " + commands + "; cd /; umount " + at});
        };
        REQUIRE(use("for i in 1 2 3 4 5 6 7 8; do echo $i > f$i; done; sync"));
        CHECK_FALSE(file_system_of(image).journal_pending);
        REQUIRE(use("for i in 1 2 3 4 5 6 7 8; do echo $i > g$i; done; xfs_io -x -c 'shutdown -f' ."));
        CHECK(file_system_of(image).journal_pending);
        REQUIRE(use("true"));
        CHECK_FALSE(file_system_of(image).journal_pending);
    }
}
