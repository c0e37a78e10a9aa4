// SPDX-License-Identifier: Apache-2.0
// Paths stay below their root, and errors name them.
#include "config/base/root.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>

#include "tests/temporary_tree.hpp"

using stillboot::test::TemporaryTree;

TEST_SUITE("base") {
    TEST_CASE("an absolute symlink and dot-dot stay below the root") {
        const TemporaryTree tree;
        tree.file("etc/passwd", "ours");
        tree.link("a/absolute", "/etc/passwd");
        tree.link("a/above", "../../../../../../etc/passwd");
        const auto root = tree.root();
        CHECK(root.read_file("/a/absolute", 100).value() == "ours");
        CHECK(root.read_file("a/above", 100).value() == "ours");
        CHECK(root.canonical("a/absolute").value() == "/etc/passwd");
    }

    TEST_CASE("a file larger than the limit is refused, one of just that size is not") {
        const TemporaryTree tree;
        tree.file("x", "12345");
        const auto root = tree.root();
        CHECK(root.read_file("x", 5).value() == "12345");
        CHECK(root.read_file("x", 4).error().sentence() == "x is larger than the 4 bytes that are accepted");
    }

    TEST_CASE("a FIFO is refused at once rather than waited for") {
        const TemporaryTree tree;
        REQUIRE(::mkfifo((tree.path() / "fifo").c_str(), 0600) == 0);
        CHECK(tree.root().read_file("fifo", 10).error().code() == "base.not_a_file");
    }

    TEST_CASE("replace_file leaves the new text and no temporary") {
        const TemporaryTree tree;
        tree.file("run/record", "old");
        const auto root = tree.root();
        REQUIRE(root.replace_file("run/record", "new"));
        CHECK(root.read_file("run/record", 10).value() == "new");
        CHECK(root.list("run").value() == std::vector<std::string>{"record"});
    }

    TEST_CASE("make_directories makes each one and accepts those that are there") {
        const TemporaryTree tree;
        const auto root = tree.root();
        REQUIRE(root.make_directories("/a/b/c"));
        REQUIRE(root.make_directories("a/b/c/d"));
        CHECK(root.stat("a/b/c/d").has_value());
    }

    TEST_CASE("lstat sees the symlink, stat what it points to") {
        const TemporaryTree tree;
        tree.file("x", "1");
        tree.link("l", "x");
        tree.link("dangling", "nowhere");
        const auto root = tree.root();
        CHECK(S_ISLNK(root.lstat("l")->st_mode));
        CHECK(S_ISREG(root.stat("l")->st_mode));
        CHECK(root.read_link("l").value() == "x");
        CHECK_FALSE(root.exists("dangling"));
        CHECK(root.lstat("dangling").has_value());
    }

    TEST_CASE("attributes lose trailing white space; a missing one names itself") {
        const TemporaryTree tree;
        tree.file("sys/vendor", "0x8086\n");
        const auto root = tree.root();
        CHECK(root.read_attribute("sys/vendor").value() == "0x8086");
        CHECK(root.read_attribute("sys/none").error().sentence() ==
              "sys/none cannot be opened: ENOENT (No such file or directory)");
    }
}
