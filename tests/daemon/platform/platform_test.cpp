// SPDX-License-Identifier: Apache-2.0
#include "daemon/platform/platform.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "daemon/platform/efi_variables.hpp"
#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::platform;
using stillboot::test::TemporaryTree;

namespace {

const std::string directory = "sys/firmware/efi/efivars/";
const std::string indications = directory + "OsIndications-8be4df61-93ca-11d2-aa0d-00e098032b8c";
const std::string supported = directory + "OsIndicationsSupported-8be4df61-93ca-11d2-aa0d-00e098032b8c";
const std::string entry_once = directory + "LoaderEntryOneShot-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
const std::string kept("\7\0\0\0", 4);
const std::string readable("\6\0\0\0", 4);

std::string bits(char low, char high = 0) {
    std::string out(8, '\0');
    out.front() = low;
    out.back() = high;
    return out;
}

struct Machine {
    Machine() {
        tree.file(supported, readable + bits(1));
        root.emplace(tree.root());
    }
    [[nodiscard]] std::unique_ptr<Platform> platform() const { return platform_of(*root); }
    [[nodiscard]] std::string bytes(const std::string& file) const { return root->read_file(file, 100).value(); }

    TemporaryTree tree;
    std::optional<Root> root;
};

}  // namespace

TEST_SUITE("platform") {
    TEST_CASE("the firmware is asked for its setup by a bit of OsIndications, and its other bits stay") {
        const Machine machine;
        REQUIRE(machine.platform()->ask_for_setup());
        CHECK(machine.bytes(indications) == kept + bits(1));
        machine.tree.file(indications, kept + bits(4, 2));
        REQUIRE(machine.platform()->ask_for_setup());
        CHECK(machine.bytes(indications) == kept + bits(5, 2));
        REQUIRE(machine.platform()->ask_for_setup());
        CHECK(machine.bytes(indications) == kept + bits(5, 2));
    }

    TEST_CASE("firmware that does not offer its setup is not asked, in words") {
        const Machine machine;
        for (const std::string& offers : {std::string(), readable, readable + bits(4)}) {
            machine.tree.file(supported, offers);
            CHECK(
                machine.platform()->ask_for_setup().error().sentence() ==
                "this machine's firmware does not offer to open its setup at a start: press its key as it starts");
        }
        CHECK_FALSE(machine.root->exists(indications));
        std::filesystem::remove(machine.tree.path() / supported);
        machine.tree.directory(supported);
        CHECK(machine.platform()->ask_for_setup().error().sentence() ==
              "the EFI variable OsIndicationsSupported cannot be read: EISDIR (Is a directory)");
    }

    TEST_CASE("a variable that cannot be read or written is named") {
        const Machine machine;
        machine.tree.directory(indications);
        CHECK(machine.platform()->ask_for_setup().error().code() == "platform.read_failed");
        machine.tree.directory(entry_once + "/x");
        CHECK(machine.platform()->entry_once().error().code() == "platform.read_failed");
        CHECK(machine.platform()->set_entry_once("a").error().sentence() ==
              "the EFI variable LoaderEntryOneShot cannot be written: EISDIR (Is a directory)");
        CHECK(machine.platform()->set_entry_once(std::nullopt).error().code() == "platform.write_failed");
    }

    TEST_CASE("a machine without EFI, or whose variables are not there, says which it is") {
        TemporaryTree plain;
        plain.directory("sys/firmware");
        CHECK(platform_of(plain.root())->ask_for_setup().error().code() == "platform.no_efi");
        CHECK(platform_of(plain.root())->set_entry_once("x").error().code() == "platform.no_efi");
        CHECK_FALSE(platform_of(plain.root())->entry_once().value());
        plain.directory(directory);
        CHECK(platform_of(plain.root())->ask_for_setup().error().sentence() ==
              "the EFI variables cannot be written here: mount efivarfs at /sys/firmware/efi/efivars, and see "
              "that the "
              "kernel's command line has no efi=noruntime");
    }

    TEST_CASE(
        "the entry that is asked for once comes and goes in UTF-16, and what is no name of one counts as none") {
        const Machine machine;
        const auto platform = machine.platform();
        CHECK_FALSE(platform->entry_once().value());
        REQUIRE(platform->set_entry_once("ab.conf"));
        CHECK(machine.bytes(entry_once) == kept + std::string("a\0b\0.\0c\0o\0n\0f\0\0\0", 16));
        CHECK(platform->entry_once().value() == "ab.conf");
        REQUIRE(platform->set_entry_once(std::nullopt));
        CHECK_FALSE(machine.root->exists(entry_once));
        REQUIRE(platform->set_entry_once(std::nullopt));
        for (const std::string& odd :
             {std::string(), std::string("\0\0", 2), std::string("a"), std::string("\0\1a\0", 4),
              std::string("\n\0a\0", 4), std::string("\xe4\0a\0", 4)}) {
            machine.tree.file(entry_once, kept + odd);
            CHECK_FALSE(platform->entry_once().value());
        }
        machine.tree.file(entry_once, kept + std::string("a\0b\0", 4));  // without the zero at its end
        CHECK(platform->entry_once().value() == "ab");
    }

    TEST_CASE("a variable that is immutable is changed, and immutable again") {
        const Machine machine;
        REQUIRE(machine.platform()->set_entry_once("a"));
        const auto file = machine.root->open_file(entry_once, O_RDONLY);
        int flags = 0;
        REQUIRE(file);
        if (::ioctl(file->get(), FS_IOC_GETFLAGS, &flags) != 0) {
            return;  // this file system has no such flag
        }
        int immutable = flags | FS_IMMUTABLE_FL;
        if (::ioctl(file->get(), FS_IOC_SETFLAGS, &immutable) != 0) {
            return;  // nor root's rights
        }
        CHECK(machine.platform()->set_entry_once("bb"));
        CHECK(machine.platform()->entry_once().value() == "bb");
        CHECK(::ioctl(file->get(), FS_IOC_GETFLAGS, &immutable) == 0);
        CHECK((immutable & FS_IMMUTABLE_FL) != 0);
        CHECK(machine.platform()->set_entry_once(std::nullopt));
        CHECK_FALSE(machine.root->exists(entry_once));
    }
}
