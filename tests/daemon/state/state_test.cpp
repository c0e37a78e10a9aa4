// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fcntl.h>

#include "daemon/state/choice.hpp"
#include "daemon/state/partition_store.hpp"
#include "daemon/state/superblock.hpp"
#include "daemon/state/two_copies.hpp"
#include "tests/daemon/state/file_size_limit.hpp"
#include "tests/temporary_tree.hpp"

using namespace std::chrono_literals;
using namespace stillboot;
using namespace stillboot::state;
using stillboot::test::FileSizeLimit;
using stillboot::test::TemporaryTree;

namespace {

/// A directory with two copies, and its bytes from outside.
struct Directory {
    Directory() {
        tree.directory("store");
        root.emplace(tree.root());
    }
    [[nodiscard]] Copies copies() const {
        return Copies(std::make_unique<FilePlaces>(root->open_file("/store", O_RDONLY | O_DIRECTORY).value()));
    }
    [[nodiscard]] std::string bytes(const std::string& name) const {
        return root->read_file("/store/" + name, 1 << 20).value();
    }

    TemporaryTree tree;
    std::optional<Root> root;
};

void put_at(std::string& bytes, std::size_t at, std::string_view text) {
    bytes.replace(at, text.size(), text);
}

/// The start of a disk with such a file system.
std::string made_ext4(std::string_view label, char uuid) {
    std::string bytes(2048, '\0');
    put_at(bytes, 1024 + 0x38, "\x53\xEF");
    put_at(bytes, 1024 + 0x68, std::string(16, uuid));
    put_at(bytes, 1024 + 0x78, label);
    return bytes;
}

std::string padded(std::string_view label) {
    std::string text(label);
    text.resize(11, ' ');
    return text;
}

/// An entry of a long name, and then the label.
std::string root_entries(std::string_view label) {
    std::string entries(64, '\0');
    put_at(entries, 0, padded("long") + "\x0F");
    put_at(entries, 32, label.empty() ? "" : padded(label) + "\x08");
    return entries;
}

std::string made_fat(std::string_view in_boot_sector, std::string_view in_root) {
    std::string bytes(4096, '\0');
    put_at(bytes, 11, {"\0\x02\x04\x01\0\x02\x02\0", 8});  // sectors of 512, clusters of 4, 1 reserved, 2 tables
    put_at(bytes, 19, {"\x40\0\xF8\x01\0", 5});            // of one sector each; 64 sectors of a fixed disk
    put_at(bytes, 38,
           "\x29"
           "1234" +
               padded(in_boot_sector) + "FAT16   ");
    put_at(bytes, 510, "\x55\xAA");
    put_at(bytes, 3 * 512, root_entries(in_root));
    return bytes;
}

std::string made_fat32(std::string_view in_root) {
    std::string bytes(4096, '\0');
    put_at(bytes, 11, {"\0\x02\x01\x01\0\x02", 6});
    put_at(bytes, 19, {"\x40\0\xF8", 3});
    put_at(bytes, 36, {"\x01\0\0\0", 4});
    put_at(bytes, 44, {"\x03\0\0\0", 4});  // the second cluster
    put_at(bytes, 66,
           "\x29"
           "5678" +
               padded("NO NAME") + "FAT32   ");
    put_at(bytes, 510, "\x55\xAA");
    put_at(bytes, 4 * 512, root_entries(in_root));
    return bytes;
}

}  // namespace

TEST_SUITE("state") {
    TEST_CASE("a copy comes back as it was written, whatever stands behind it") {
        for (const std::string text : {"", "{}", "two\nlines\0and a zero"}) {
            const Copy copy{18446744073709551615U, text};
            CHECK(decode_copy(encode_copy(copy)) == copy);
            CHECK(decode_copy(encode_copy(copy) + std::string(100, '\0')) == copy);
        }
        CHECK(encode_copy({7, "{}"}).starts_with("stillboot-state 1 7 2 "));
    }

    TEST_CASE("a copy that is cut short anywhere, or has one wrong bit, is none") {
        const std::string whole = encode_copy({7, "{\"attempt\":null}"});
        for (std::size_t length = 0; length < whole.size(); ++length) {
            CHECK_FALSE(decode_copy(whole.substr(0, length)));
            std::string zeros = whole.substr(0, length);
            zeros.resize(whole.size(), '\0');
            CHECK_FALSE(decode_copy(zeros));
        }
        for (std::size_t at = 0; at < whole.size(); ++at) {
            for (const int bit : {1, 4, 64}) {
                std::string flipped = whole;
                flipped[at] = static_cast<char>(flipped[at] ^ bit);
                const auto decoded = decode_copy(flipped);
                CHECK((!decoded || *decoded == Copy{7, "{\"attempt\":null}"}));
            }
        }
    }

    TEST_CASE("the newest whole copy is read and the other one overwritten") {
        const Copy old{4, "old"};
        const Copy young{5, "young"};
        const std::optional<Copy> none;
        CHECK(newest(old, young) == young);
        CHECK(newest(young, old) == young);
        CHECK(newest(none, old) == old);
        CHECK(newest(old, none) == old);
        CHECK_FALSE(newest(none, none));
        CHECK(oldest(old, young) == 0);
        CHECK(oldest(young, old) == 1);
        CHECK(oldest(none, old) == 0);
        CHECK(oldest(old, none) == 1);
    }

    TEST_CASE("what was written is read, copies take turns, and a cleared store holds nothing") {
        const Directory directory;
        const auto copies = directory.copies();
        CHECK_FALSE(copies.read().value());
        for (const std::string text : {"one", "two", "three"}) {
            REQUIRE(copies.write(text));
            CHECK(copies.read().value() == text);
        }
        CHECK(decode_copy(directory.bytes("stillboot.0"))->text == "three");
        CHECK(decode_copy(directory.bytes("stillboot.1"))->text == "two");
        CHECK(directory.bytes("stillboot.1").size() == FilePlaces::copy_bytes);
        REQUIRE(copies.write(""));
        CHECK_FALSE(copies.read().value());
    }

    TEST_CASE("a write that was torn at any place leaves what was there before, and the next one mends it") {
        for (const std::size_t torn_at : {std::size_t{0}, std::size_t{10}, std::size_t{30}, std::size_t{33}}) {
            CAPTURE(torn_at);
            const Directory directory;
            const auto copies = directory.copies();
            REQUIRE(copies.write("first"));
            REQUIRE(copies.write("second, which is longer than what follows"));
            REQUIRE(copies.write("third"));
            std::string torn = directory.bytes("stillboot.0");
            const std::string before = encode_copy({1, "first"});
            torn.replace(torn_at, std::string::npos, before, std::min(torn_at, before.size()), std::string::npos);
            directory.tree.file("store/stillboot.0", torn);
            CHECK(copies.read().value() != "third");
            REQUIRE(copies.write("fourth"));
            CHECK(copies.read().value() == "fourth");
        }
    }

    TEST_CASE("a damaged copy is named until it is written over, and an unused one is none") {
        const auto sentences = [](const Directory& directory) {
            std::vector<std::string> found;
            const auto damage = directory.copies().damage().value();
            for (const Message& message : damage) {
                found.push_back(message.sentence());
            }
            return found;
        };
        using Sentences = std::vector<std::string>;
        const Directory directory;
        CHECK(sentences(directory).empty());
        REQUIRE(directory.copies().write("first"));
        CHECK(sentences(directory).empty());  // there is no second one yet
        directory.tree.file("store/stillboot.1", std::string(10, '\0'));
        CHECK(sentences(directory).empty());  // its first write had only begun
        REQUIRE(directory.copies().write("second"));
        CHECK(sentences(directory).empty());
        for (const std::string& torn :
             {std::string(), std::string(10, '\0'), std::string("stillboot-state 1 2 6 ")}) {
            CAPTURE(torn);
            directory.tree.file("store/stillboot.0", torn);
            CHECK(sentences(directory) ==
                  Sentences{"the state store's file stillboot.0 is damaged: the other copy is used"});
        }
        directory.tree.file("store/stillboot.1", "torn too");
        directory.tree.file("store/stillboot.0", "torn");
        CHECK(sentences(directory) ==
              Sentences{"both copies in the state store are damaged: what was remembered is lost"});
        REQUIRE(directory.copies().write("new"));
        CHECK(sentences(directory) ==
              Sentences{"the state store's file stillboot.1 is damaged: the other copy is used"});
        REQUIRE(directory.copies().write("newer"));
        CHECK(sentences(directory).empty());
        directory.tree.file("store/stillboot.1", "stillboot-state 2 9 0 0\n");
        CHECK(sentences(directory).empty());
        std::filesystem::remove(directory.tree.path() / "store/stillboot.1");
        directory.tree.directory("store/stillboot.1");
        CHECK(sentences(directory) ==
              Sentences{"the state store's file stillboot.1 is damaged: the other copy is used"});
        CHECK(directory.copies().read().value() == "new");
        std::filesystem::remove(directory.tree.path() / "store/stillboot.0");
        CHECK(directory.copies().damage().error().code() == "state.read_failed");
    }

    TEST_CASE("a store of a later version is left alone, in words") {
        const Directory directory;
        directory.tree.file("store/stillboot.1", "stillboot-state 2 9 0 0\n");
        CHECK(directory.copies().read().error().sentence() ==
              "the state store was written by a newer version: it is left alone");
        CHECK(directory.copies().write("x").error().code() == "state.newer_format");
        CHECK(directory.bytes("stillboot.1") == "stillboot-state 2 9 0 0\n");
    }

    TEST_CASE("what has no room is refused and changes nothing") {
        const Directory directory;
        REQUIRE(directory.copies().write("before"));
        CHECK(directory.copies().write(std::string(FilePlaces::copy_bytes, 'x')).error().code() ==
              "state.too_large");
        CHECK(directory.copies().read().value() == "before");
    }

    TEST_CASE("a full disk says so, and leaves the older copy") {
        const Directory directory;
        const auto copies = directory.copies();
        REQUIRE(copies.write("before"));
        {
            const FileSizeLimit limit(4096);
            CHECK(copies.write("after").error().sentence() ==
                  "the state store is full, its file stillboot.1 cannot be written: what it held before is kept");
        }
        CHECK(copies.read().value() == "before");
        REQUIRE(copies.write("after"));
        CHECK(copies.read().value() == "after");
    }

    TEST_CASE("copies that cannot be read or written are named") {
        const Directory directory;
        directory.tree.directory("store/stillboot.0");
        CHECK(directory.copies().read().error().sentence() ==
              "the state store's file stillboot.0 cannot be read: EISDIR (Is a directory)");
    }

    TEST_CASE("a partition that cannot be mounted is named") {
        const TemporaryTree tree;
        tree.file("dev/sda3", made_ext4("STILLSTATE", 'a'));  // no block device
        const Root root = tree.root();
        PartitionStore store(root, "/dev/sda3", "STILLSTATE", 20s);
        CHECK(store.device() == "/dev/sda3");
        CHECK(store.read().error().sentence() ==
              "the state store on /dev/sda3 cannot be mounted: ENOTBLK (Block device required)");
        PartitionStore gone(root, "/dev/sda4", "", 20s);
        CHECK(gone.write("x").error().code() == "state.mount_failed");
        CHECK(gone.damage().front().code() == "state.mount_failed");
        gone.close();
    }

    TEST_CASE("what is not the file system that is meant is not even mounted, whatever it is called") {
        const TemporaryTree tree;
        tree.file("dev/nvme1n1", made_ext4("target", 'a'));
        tree.file("dev/null1", "nothing");
        const Root root = tree.root();
        CHECK(PartitionStore(root, "/dev/nvme1n1", "STILLSTATE", 20s).write("x").error().sentence() ==
              "/dev/nvme1n1 is not the file system of the state store, or not any more: nothing is written there");
        CHECK(PartitionStore(root, "/dev/nvme1n1", "", 20s).write("x").error().code() == "state.mount_failed");
        CHECK(PartitionStore(root, "/dev/null1", "", 20s).write("x").error().code() == "state.other_file_system");
    }

    TEST_CASE("once it was let go of it is found where it was, whatever it is called then") {
        const TemporaryTree tree;
        const auto put = [&](const std::string& name, const std::string& slot, const std::string& bytes) {
            tree.file("dev/" + name, bytes);
            tree.file("sys/devices/pci/" + slot + "/" + name + "/wwid", "eui." + slot + "\n");
            std::filesystem::remove(tree.path() / "sys/class/block" / name);
            tree.link("sys/class/block/" + name, "../../devices/pci/" + slot + "/" + name);
        };
        put("nvme0n1", "00:03.0", made_ext4("target", 'a'));
        put("nvme1n1", "00:04.0", made_ext4("STILLSTATE", 'b'));
        const Root root = tree.root();
        PartitionStore store(root, "/dev/nvme1n1", "STILLSTATE", 5s);
        CHECK(store.read().error().message().param("device") == "/dev/nvme1n1");
        store.close();
        std::filesystem::remove_all(tree.path() / "sys/devices/pci");
        put("nvme1n1", "00:03.0", made_ext4("target", 'a'));
        put("nvme0n1", "00:04.0", made_ext4("STILLSTATE", 'b'));
        const auto again = store.read().error().message();
        CHECK(again.code() == "state.mount_failed");
        CHECK(again.param("device") == "/dev/nvme0n1");
        put("nvme0n1", "00:04.0", made_ext4("STILLSTATE", 'c'));  // another disk in its place
        CHECK(store.write("x").error().code() == "state.other_file_system");
    }

    TEST_CASE("a superblock says label and UUID: of ext4, and of FAT by its root directory") {
        const auto of = [](const std::string& bytes) {
            const TemporaryTree tree;
            tree.file("disk", bytes);
            return read_superblock(tree.root().open_file("/disk", O_RDONLY)->get());
        };
        CHECK(of(made_ext4("STILLSTATE", 'u')) ==
              Superblock{"ext4", "STILLSTATE", "75757575-7575-7575-7575-757575757575"});
        CHECK(of(made_fat("NO NAME", "STILLSTATE")) == Superblock{"vfat", "STILLSTATE", "3433-3231"});
        CHECK(of(made_fat("STILLSTATE", "")) == Superblock{"vfat", "", "3433-3231"});
        CHECK(of(made_fat32("STILLSTATE")) == Superblock{"vfat", "STILLSTATE", "3837-3635"});
        CHECK_FALSE(of(std::string(4096, '\0')));
        CHECK_FALSE(of(""));
        for (const std::string& whole : {made_ext4("x", 'u'), made_fat("x", "y"), made_fat32("x")}) {
            for (std::size_t length = 0; length < whole.size(); length += 13) {
                (void)of(whole.substr(0, length));
            }
        }
    }

    TEST_CASE("the store is the labelled file system of a disk that is not removable, or what the setting names") {
        TemporaryTree tree;
        tree.file("dev/sdb", "");
        const auto label = [&](const std::string& path, const std::string& number) {
            const std::string name = path.substr(path.rfind('/') + 1);
            tree.file("dev/" + name, "");
            tree.file("sys/devices/" + path + "/dev", number + "\n");
            tree.link("sys/class/block/" + name, "../../devices/" + path);
            tree.file("run/udev/data/b" + number, "S:disk/by-uuid/1\nS:disk/by-label/STILLSTATE\nE:ID_BUS=ata\n");
        };
        tree.file("sys/devices/sda/removable", "0\n");
        tree.file("sys/devices/sda/sda3/partition", "3\n");
        label("sda/sda3", "8:3");
        const Root root = tree.root();
        CHECK(find_store(root, "") == "/dev/sda3");
        CHECK(find_store(root, "none").empty());
        CHECK(find_store(root, "/dev/sdb") == "/dev/sdb");
        CHECK(find_store(root, "/dev/sdz").empty());
        label("pci/usb2/2-1/sdc", "8:32");  // which says that it is not removable
        tree.file("sys/devices/pci/usb2/2-1/sdc/removable", "0\n");
        CHECK(find_store(root, "") == "/dev/sda3");
        label("pci/sdd", "8:48");
        CHECK(find_store(root, "").empty());
        CHECK(why_no_store(root, "").sentence() ==
              "there is no state store, for several file systems are labelled STILLSTATE (/dev/sda3, /dev/sdd): "
              "take "
              "the label from those that are none, or name the one in the setting state_store");
        CHECK(find_store(root, "/dev/sda3") == "/dev/sda3");
        tree.file("run/udev/data/b8:48", "S:disk/by-label/STILLSTATE2\n");
        CHECK(find_store(root, "") == "/dev/sda3");
        tree.file("sys/devices/sda/removable", "1\n");
        CHECK(find_store(root, "").empty());
        CHECK(why_no_store(root, "").code() == "handover.no_store");
        CHECK(find_store(root, "/dev/sda3") == "/dev/sda3");
    }
}
