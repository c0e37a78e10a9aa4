// SPDX-License-Identifier: Apache-2.0
#include "quiesce/silent_disks.hpp"

#include <doctest/doctest.h>

#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::quiesce;
using namespace std::chrono_literals;

namespace {

using Names = std::vector<std::string>;

struct Disks {
    Disks() { tree.directory("sys/block"); }
    void counts(const std::string& disk, int reads, int writes, int in_flight) const {
        tree.file("sys/block/" + disk + "/stat", "  " + std::to_string(reads) + " 1 2 3 " +
                                                     std::to_string(writes) + " 5 6 7 " +
                                                     std::to_string(in_flight) + " 9 10 0 0 0 0 0 0\n");
    }
    // Those that are silent; `then` is what happens in each rest.
    Names silent(std::chrono::milliseconds patience, const std::function<void()>& then = [] {}) {
        return silent_disks(tree.root(), patience, [&](std::chrono::milliseconds time) {
            waited += time;
            then();
        });
    }

    test::TemporaryTree tree;
    std::chrono::milliseconds waited{0};
};

}  // namespace

TEST_SUITE("quiesce") {
    TEST_CASE("where no disk has a request under way nothing is waited for") {
        Disks disks;
        disks.counts("vda", 100, 10, 0);
        CHECK(disks.silent(5s).empty());
        CHECK(disks.waited == 0ms);
    }

    TEST_CASE("a disk that answers nothing for as long as that is silent, and it alone") {
        Disks disks;
        disks.counts("vda", 100, 10, 0);
        disks.counts("cciss!c0d0", 1, 0, 2);
        CHECK(disks.silent(450ms) == Names{"/dev/cciss/c0d0"});
        CHECK(disks.waited == 450ms);
    }

    TEST_CASE("one answer is enough, and so is the last request's, and a disk that goes") {
        Disks disks;
        for (const char* const disk : {"vda", "vdb", "vdc", "vdd"}) {
            disks.counts(disk, 100, 10, 2);
        }
        int rests = 0;
        CHECK(disks
                  .silent(5s,
                          [&] {
                              switch (++rests) {
                                  case 1: disks.counts("vda", 101, 10, 2); break;
                                  case 2: disks.counts("vdb", 100, 11, 1); break;
                                  case 3: disks.counts("vdc", 100, 10, 0); break;
                                  default: std::filesystem::remove_all(disks.tree.path() / "sys/block/vdd"); break;
                              }
                          })
                  .empty());
        CHECK(disks.waited == 400ms);
    }

    TEST_CASE("counters that cannot be read, and a machine without disks, are nothing to wait for") {
        Disks disks;
        disks.tree.file("sys/block/vda/stat", "1 2 3\n");
        disks.tree.directory("sys/block/vdb");
        CHECK(disks.silent(5s).empty());
        const test::TemporaryTree bare;
        CHECK(silent_disks(bare.root(), 5s, [](auto) {}).empty());
    }
}
