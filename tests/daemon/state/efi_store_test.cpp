// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "daemon/state/choice.hpp"
#include "daemon/state/efi_store.hpp"
#include "daemon/state/two_copies.hpp"
#include "tests/daemon/state/file_size_limit.hpp"
#include "tests/temporary_tree.hpp"

using namespace std::chrono_literals;
using namespace stillboot;
using namespace stillboot::state;
using stillboot::platform::EfiVariables;
using stillboot::test::FileSizeLimit;
using stillboot::test::TemporaryTree;

namespace {

const std::string directory = "sys/firmware/efi/efivars/";
const std::string first = directory + "StillbootState0-316dec7c-169a-4c02-843c-55a896bfcc4a";
const std::string second = directory + "StillbootState1-316dec7c-169a-4c02-843c-55a896bfcc4a";
const std::string kept("\7\0\0\0", 4);

/// A machine with one variable of its firmware.
struct Machine {
    Machine() {
        tree.file(directory + "BootOrder-8be4df61-93ca-11d2-aa0d-00e098032b8c", kept + std::string("\0\0", 2));
        root.emplace(tree.root());
        store = open_store(*root, "");
    }
    [[nodiscard]] std::string bytes(const std::string& file) const {
        return root->read_file(file, 1 << 20).value();
    }
    [[nodiscard]] std::vector<std::string> damage() const {
        std::vector<std::string> sentences;
        for (const Message& message : store->damage()) {
            sentences.push_back(message.sentence());
        }
        return sentences;
    }

    TemporaryTree tree;
    std::optional<Root> root;
    std::unique_ptr<quiesce::StateStore> store;
};

using Sentences = std::vector<std::string>;

}  // namespace

TEST_SUITE("state") {
    TEST_CASE("a record is one variable of ours, with its attributes before it, and copies take turns") {
        const Machine machine;
        CHECK(machine.store->place() == "EFI variables");
        CHECK(machine.store->device().empty());
        CHECK_FALSE(machine.store->read().value());
        REQUIRE(machine.store->write("one"));
        CHECK(machine.bytes(first) == kept + encode_copy({1, "one"}));
        REQUIRE(machine.store->write("two"));
        CHECK(machine.bytes(second) == kept + encode_copy({2, "two"}));
        CHECK(machine.store->read().value() == "two");
        machine.store->close();
        CHECK(machine.store->read().value() == "two");
        REQUIRE(machine.store->clear());
        CHECK_FALSE(machine.store->read().value());
    }

    TEST_CASE("what is there already is not written again, unless a copy is damaged") {
        const Machine machine;
        REQUIRE(machine.store->write("one"));
        REQUIRE(machine.store->write("one"));
        CHECK_FALSE(machine.root->exists(second));
        REQUIRE(machine.store->write("two"));
        machine.tree.file(first, kept + "torn");
        REQUIRE(machine.store->write("two"));
        CHECK(machine.bytes(first) == kept + encode_copy({3, "two"}));
    }

    TEST_CASE("a torn variable is named, and the older copy is read") {
        const Machine machine;
        for (const std::string text : {"nil", "zip", "one", "two"}) {
            REQUIRE(machine.store->write(text));
        }
        const std::string whole = machine.bytes(second);
        for (std::size_t length = 1; length < whole.size(); ++length) {
            CAPTURE(length);
            machine.tree.file(second, whole.substr(0, length));
            CHECK(machine.store->read().value() == "one");
            CHECK(machine.damage() == Sentences{"the state store's EFI variable StillbootState1 is damaged: the "
                                                "other copy is used"});
        }
        machine.tree.file(first, kept + "torn too");
        CHECK(machine.damage() ==
              Sentences{"both copies in the state store are damaged: what was remembered is lost"});
        REQUIRE(machine.store->write("new"));
        CHECK(machine.store->read().value() == "new");
    }

    TEST_CASE("a variable of a later version is left alone, in words") {
        const Machine machine;
        machine.tree.file(second, kept + "stillboot-state 2 9 0 0\n");
        CHECK(machine.store->read().error().code() == "state.newer_format");
        CHECK(machine.store->write("x").error().sentence() ==
              "the state store was written by a newer version: it is left alone");
    }

    TEST_CASE("what is larger than a variable may be is refused with both numbers, and changes nothing") {
        const Machine machine;
        REQUIRE(machine.store->write("before"));
        const std::string large(VariablePlaces::copy_bytes, 'x');
        CHECK(machine.store->write(large).error().sentence() ==
              "the state store takes 8192 bytes, not the 8226 that were to be kept");
        CHECK(machine.store->read().value() == "before");
        CHECK_FALSE(machine.root->exists(second));
    }

    TEST_CASE("a full store says so and keeps the older copy") {
        const Machine machine;
        REQUIRE(machine.store->write("before"));
        REQUIRE(machine.store->write("last"));
        {
            const FileSizeLimit limit(24);
            CHECK(
                machine.store->write("no room for this").error().sentence() ==
                "the state store is full, its EFI variable StillbootState0 cannot be written: what it held before "
                "is kept");
        }
        CHECK(machine.store->read().value() == "last");
        CHECK(machine.damage().size() == 1);
        REQUIRE(machine.store->write("there is room again"));
        CHECK(machine.damage().empty());
    }

    TEST_CASE("variables that cannot be read or written are named") {
        const Machine machine;
        machine.tree.directory(first);
        CHECK(machine.store->read().error().sentence() ==
              "the state store's EFI variable StillbootState0 cannot be read: EISDIR (Is a directory)");
        machine.tree.file(second, kept + encode_copy({4, "four"}));
        CHECK(machine.store->read().value() == "four");
        CHECK(machine.store->write("five").error().sentence() ==
              "the state store's EFI variable StillbootState0 cannot be written: EISDIR (Is a directory)");
    }

    TEST_CASE("EFI variables are the store where no partition is, and only where they can be written") {
        const Machine machine;
        CHECK(find_store(*machine.root, "") == "EFI variables");
        CHECK(find_store(*machine.root, "efi") == "EFI variables");
        CHECK(find_store(*machine.root, "none").empty());
        CHECK(open_store(*machine.root, "none") == nullptr);
        machine.tree.file("dev/sda3", "");
        machine.tree.link("sys/class/block/sda3", "../../devices/sda/sda3");
        machine.tree.file("sys/devices/sda/sda3/dev", "8:3\n");
        machine.tree.file("run/udev/data/b8:3", "S:disk/by-label/STILLSTATE\n");
        CHECK(find_store(*machine.root, "") == "/dev/sda3");
        CHECK(open_store(*machine.root, "")->device() == "/dev/sda3");
        CHECK(find_store(*machine.root, "efi") == "EFI variables");

        TemporaryTree not_mounted;
        not_mounted.directory(directory);
        CHECK(find_store(not_mounted.root(), "efi").empty());
        CHECK(find_store(TemporaryTree().root(), "").empty());
    }

    TEST_CASE("firmware that never comes back is given up for good") {
        const Machine machine;
        // A pipe that nobody writes to keeps whoever opens it, as a call of the firmware may.
        REQUIRE(::mkfifo((machine.tree.path() / first).c_str(), 0600) == 0);
        EfiStore store(EfiVariables::open(*machine.root).value(), 20ms);
        CHECK(store.write("x").error().sentence() ==
              "the state store (EFI variables) does not answer: it is not used any more");
        CHECK(store.read().error().code() == "state.hangs");
        CHECK(store.damage().front().code() == "state.hangs");
        store.close();
    }
}
