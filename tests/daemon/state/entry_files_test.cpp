// SPDX-License-Identifier: Apache-2.0
#include "daemon/state/entry_files.hpp"

#include <doctest/doctest.h>

#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::state;
using stillboot::test::TemporaryTree;

namespace {

Result<void> nothing(const Root&) {
    FAIL("nothing was mounted");
    return {};
}

}  // namespace

TEST_SUITE("state") {
    TEST_CASE("an entry's file gets its name once, and never that of another") {
        const TemporaryTree tree;
        tree.file("loader/entries/a+3.conf", "a");
        tree.file("loader/entries/b.conf", "b");
        const Root root = tree.root();
        REQUIRE(rename_entry(root, "/loader/entries", "a+3.conf", "a+2-1.conf"));
        REQUIRE(rename_entry(root, "/loader/entries", "a+3.conf", "a+2-1.conf"));
        CHECK(root.list("loader/entries").value() == std::vector<std::string>{"a+2-1.conf", "b.conf"});
        CHECK(rename_entry(root, "/loader/entries", "a+2-1.conf", "b.conf").error().error_number() == EEXIST);
        CHECK(rename_entry(root, "/loader/entries", "gone.conf", "x.conf").error().error_number() == ENOENT);
        CHECK(root.list("loader/entries").value() == std::vector<std::string>{"a+2-1.conf", "b.conf"});
    }

    TEST_CASE("types that are not written to are refused, and what cannot be mounted says so") {
        CHECK(is_writable_type("vfat"));
        CHECK(is_writable_type("ext3"));
        CHECK_FALSE(is_writable_type("iso9660"));
        CHECK_FALSE(is_writable_type(""));
        CHECK(on_writable("/dev/sr0", "iso9660", nothing).error().sentence() ==
              "file systems of the type iso9660 are not written to");
        const TemporaryTree tree;
        const std::string none = (tree.path() / "no-such-device").string();
        for (const char* type : {"vfat", ""}) {
            const auto failed = on_writable(none, type, nothing);
            REQUIRE_FALSE(failed);
            CHECK(failed.error().code() == "state.entry_mount_failed");
            CHECK(failed.error().message().param("device") == none);
        }
    }

    TEST_CASE("a device that does not answer is given up after the deadline") {
        const TemporaryTree tree;
        const auto failed =
            on_writable((tree.path() / "none").string(), "", nothing, std::chrono::milliseconds(-1));
        REQUIRE_FALSE(failed);
        CHECK(failed.error().code() == "state.entry_hangs");
    }
}
