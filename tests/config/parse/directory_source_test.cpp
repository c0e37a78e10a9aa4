// SPDX-License-Identifier: Apache-2.0
// Directories as file systems, and references between them.
#include "config/parse/directory_source.hpp"

#include <doctest/doctest.h>

#include "tests/temporary_tree.hpp"

using namespace stillboot;
using Kind = DeviceRef::Kind;

namespace {

DeviceId device(std::string id, std::string uuid) {
    DeviceId out;
    out.id = std::move(id);
    out.uuid = std::move(uuid);
    return out;
}

}  // namespace

TEST_SUITE("directory_source") {
    TEST_CASE("files are read from the own file system and from those that references name") {
        const test::TemporaryTree own;
        const test::TemporaryTree other;
        own.file("boot/a", "own");
        other.file("boot/a", "other");
        other.file("b", "12345");
        std::vector<DirectorySource::FileSystem> others;
        others.push_back({device("two", "2222"), other.root()});
        DirectorySource source({device("one", "1111"), own.root()}, std::move(others));

        CHECK(source.read({}, "/boot/a", 100).value() == "own");
        CHECK(source.read({Kind::uuid, "1111"}, "/boot/a", 100).value() == "own");
        CHECK(source.read({Kind::uuid, "2222"}, "/boot/a", 100).value() == "other");
        CHECK(source.size({Kind::id, "two"}, "/b") == 5);
        CHECK(source.size({}, "/b") == 0);
        CHECK(source.kind({}, "/boot") == FileSource::Kind::directory);
        CHECK(source.kind({Kind::id, "two"}, "/b") == FileSource::Kind::file);
        CHECK(source.kind({Kind::id, "three"}, "/b") == FileSource::Kind::missing);
        CHECK(source.list({}, "/boot") == std::vector<std::string>{"a"});
        CHECK(source.list({}, "/none").empty());
        CHECK(source.present({Kind::uuid, "2222"}));
        CHECK_FALSE(source.present({Kind::uuid, "3333"}));
        CHECK(source.devices_with_file("/boot/a") == std::vector<DeviceRef>{{}, {Kind::id, "two"}});
        CHECK(source.devices_with_file("/boot").empty());
    }

    TEST_CASE("what cannot be read has a reason") {
        const test::TemporaryTree tree;
        tree.file("a", "12345");
        std::vector<DirectorySource::FileSystem> others;
        others.push_back({device("two", "2222"), tree.root()});
        others.push_back({device("three", "2222"), tree.root()});
        DirectorySource source({device("one", "1111"), tree.root()}, std::move(others));
        CHECK(source.read({}, "/x", 9).error().sentence() == "/x does not exist on one");
        CHECK(source.read({}, "/a/x", 9).error().sentence() == "/a/x does not exist on one");
        CHECK(source.read({}, "/a", 4).error().code() == "base.file_too_large");
        CHECK(source.read({}, "/", 4).error().code() == "base.not_a_file");
        CHECK(source.read({Kind::label, "x"}, "/a", 9).error().sentence() == "no device with label x is present");
        CHECK(source.read({Kind::uuid, "2222"}, "/a", 9).error().sentence() ==
              "several devices carry uuid 2222: none of them is taken");
    }

    TEST_CASE("no link leads out of a file system") {
        const test::TemporaryTree tree;
        tree.link("out", "/etc/passwd");
        tree.link("up", "../../../../../../etc/passwd");
        DirectorySource source({device("one", ""), tree.root()}, {});
        CHECK(source.kind({}, "/out") == FileSource::Kind::missing);
        CHECK(source.kind({}, "/up") == FileSource::Kind::missing);
        CHECK(source.kind({}, "/../../../../../../../etc/passwd") == FileSource::Kind::missing);
    }
}
