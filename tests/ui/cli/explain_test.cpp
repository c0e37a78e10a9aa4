// SPDX-License-Identifier: Apache-2.0
// stillboot explain on directories: both forms, references to other file systems, and what is wrong.
#include "ui/cli/explain.hpp"

#include <doctest/doctest.h>

#include "tests/temporary_tree.hpp"
#include "tests/ui/cli/run.hpp"

using stillboot::cli::ExitCode;
using stillboot::cli::parse_also;
using stillboot::test::run_stillboot;
using stillboot::test::TemporaryTree;

namespace {

void write_entry(const TemporaryTree& tree) {
    tree.file("loader/entries/a.conf",
              "title A\x1B[31m\nversion 1\nlinux /k\ninitrd /i\noptions root=/dev/vda quiet\n");
    tree.file("k", "");
}

}  // namespace

TEST_SUITE("cli") {
    TEST_CASE("explain prints options and diagnostics as the contract has them") {
        const TemporaryTree tree;
        write_entry(tree);
        const auto ran = run_stillboot({"explain", "--json=short", tree.path().string(), "--device", "disk"});
        CHECK(ran.code == ExitCode::done);
        CHECK(
            ran.out ==
            "{\"options\":[{\"id\":\"disk/bls/a\",\"title\":\"A\\u001b[31m\",\"submenus\":[],\"kernel\":{\"path\":"
            "\"/k\",\"device\":null},\"initrds\":[{\"path\":\"/i\",\"device\":null}],\"devicetree\":null,\"args\":"
            "\"root=/dev/vda "
            "quiet\",\"version\":\"1\",\"default\":true,\"state\":\"ready\",\"source\":{\"format\":"
            "\"bls\",\"file\":\"/loader/entries/a.conf\",\"line\":3}}],\"diagnostics\":[{\"file\":"
            "\"/loader/entries/a.conf\",\"line\":3,\"column\":0,\"severity\":\"warning\",\"message\":\"/i, which "
            "A\\u001b[31m boots from, is not there\",\"code\":\"config.scan_file_missing\"}]}\n");
    }

    TEST_CASE("explain reads well, and no title reaches the terminal as it is") {
        const TemporaryTree tree;
        write_entry(tree);
        const auto ran = run_stillboot({"explain", tree.path().string(), "--uuid", "1234"});
        CHECK(ran.code == ExitCode::done);
        CHECK(ran.err == "");
        CHECK(ran.out ==
              "* A?[31m\n"
              "    id:      1234/bls/a\n"
              "    from:    /loader/entries/a.conf:3\n"
              "    kernel:  /k\n"
              "    initrd:  /i\n"
              "    args:    root=/dev/vda quiet\n"
              "/loader/entries/a.conf:3: warning: /i, which A?[31m boots from, is not there\n");
    }

    TEST_CASE("explain says where there is nothing") {
        const TemporaryTree tree;
        CHECK(run_stillboot({"explain", tree.path().string()}).out ==
              tree.path().string() + ": no boot configuration was found on this file system\n");
        CHECK(run_stillboot({"explain", "--json=short", tree.path().string()}).out ==
              "{\"options\":[],\"diagnostics\":[],\"reason\":\"no boot configuration was found on this file "
              "system\"}\n");
        const auto lost = run_stillboot({"explain", (tree.path() / "x").string()});
        CHECK(lost.code == ExitCode::not_found);
        CHECK(lost.err == "stillboot: " + (tree.path() / "x").string() + " is not there, or cannot be opened\n");
    }

    TEST_CASE("other file systems are given with the names that references use") {
        const auto place = parse_also("/mnt/a:b:uuid=U,label=L,device=ID");
        REQUIRE(place.has_value());
        CHECK(place->path == "/mnt/a:b");
        CHECK(place->device.uuid == "U");
        CHECK(place->device.label == "L");
        CHECK(place->device.id == "ID");
        CHECK(parse_also("/mnt:label=L")->device.id == "L");
        for (const char* text :
             {"", "/mnt", ":uuid=U", "/mnt:", "/mnt:uuid=", "/mnt:uuid", "/mnt:size=1", "/mnt:uuid=U,x=1"}) {
            CAPTURE(text);
            CHECK(parse_also(text).error().code() == "cli.also");
        }
        const TemporaryTree tree;
        const auto ran = run_stillboot({"explain", tree.path().string(), "--also", "nonsense"});
        CHECK(ran.code == ExitCode::usage);
        const auto lost = run_stillboot({"explain", tree.path().string(), "--also", "/nonsense:uuid=1"});
        CHECK(lost.code == ExitCode::not_found);
    }
}
