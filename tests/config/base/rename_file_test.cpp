// SPDX-License-Identifier: Apache-2.0
#include "config/base/rename_file.hpp"

#include <doctest/doctest.h>

#include "tests/temporary_tree.hpp"

using namespace stillboot;
using stillboot::test::TemporaryTree;

TEST_SUITE("base") {
    TEST_CASE("rename_file gives another name in the same directory, and never another file's") {
        const TemporaryTree tree;
        tree.file("entries/first+3.conf", "one");
        tree.file("entries/second.conf", "two");
        tree.link("entries/link.conf", "second.conf");
        tree.link("away", "/entries");
        const auto root = tree.root();
        REQUIRE(rename_file(root, "/away/first+3.conf", "first+2-1.conf"));
        CHECK(root.read_file("entries/first+2-1.conf", 10).value() == "one");
        CHECK_FALSE(root.lstat("entries/first+3.conf"));

        const auto failed = rename_file(root, "/entries/first+2-1.conf", "second.conf");
        REQUIRE_FALSE(failed);
        CHECK(failed.error().sentence() ==
              "/entries/first+2-1.conf cannot be given the name second.conf: EEXIST (File exists)");
        CHECK(root.read_file("entries/second.conf", 10).value() == "two");
        CHECK(rename_file(root, "/entries/first+2-1.conf", "../first.conf").error().error_number() == EINVAL);
        CHECK(rename_file(root, "/entries/gone.conf", "x.conf").error().error_number() == ENOENT);
        CHECK(rename_file(root, "/nowhere/gone.conf", "x.conf").error().code() == "base.open_failed");
        CHECK(rename_file(root, "/entries/link.conf", "x.conf").error().code() == "base.not_a_file");
        CHECK(rename_file(root, "entries", "x").error().code() == "base.not_a_file");
        CHECK(root.list("entries").value() ==
              std::vector<std::string>{"first+2-1.conf", "link.conf", "second.conf"});
    }
}
