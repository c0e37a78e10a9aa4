// SPDX-License-Identifier: Apache-2.0
#include "kexec/hook/system.hpp"

#include <doctest/doctest.h>

#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::hook;

namespace {

/// Waiting that ends a process after some turns.
class Turns final : public quiesce::Pause {
public:
    Turns(const test::TemporaryTree& tree, int until) : tree_(tree), until_(until) {}
    int taken = 0;

    void wait(std::chrono::milliseconds) override {
        if (++taken == until_) {
            tree_.file("proc/12/stat", "12 (mdadm) Z 10 1 1 0 -1\n");
        }
    }

private:
    const test::TemporaryTree& tree_;
    int until_;
};

struct Processes {
    Processes() {
        tree.file("proc/1/stat", "1 (systemd-shutdow) R 0 1 1 0 -1\n");
        tree.file("proc/10/stat", "10 ((sd-executor)) S 1 1 1 0 -1\n");
        tree.file("proc/11/stat", "11 (stillboot-shutd) R 10 1 1 0 -1\n");
        tree.file("proc/12/stat", "12 (a) name) S 10 1 1 0 -1\n");
        tree.file("proc/12/comm", "a) name\n");
        tree.file("proc/13/stat", "13 (other) S 2 1 1 0 -1\n");
        tree.file("proc/14/stat", "");
    }
    test::TemporaryTree tree;
    Root root = tree.root();
};

}  // namespace

TEST_SUITE("hook") {
    TEST_CASE("the other hooks are waited for until they have ended") {
        Processes processes;
        Turns turns(processes.tree, 3);
        SystemSurroundings surroundings(processes.root, turns, 11, 10);
        CHECK(surroundings.wait_for_other_hooks(std::chrono::seconds(5)).empty());
        CHECK(turns.taken == 3);
    }

    TEST_CASE("one that does not end is named when the time is over") {
        Processes processes;
        Turns turns(processes.tree, 1000);
        SystemSurroundings surroundings(processes.root, turns, 11, 10);
        CHECK(surroundings.wait_for_other_hooks(std::chrono::seconds(1)) == std::vector<std::string>{"a) name"});
        CHECK(turns.taken == 19);
    }

    TEST_CASE("a hook whose parent is gone or is the system's first process has no siblings") {
        Processes processes;
        Turns turns(processes.tree, 1000);
        CHECK(SystemSurroundings(processes.root, turns, 10, 1)
                  .wait_for_other_hooks(std::chrono::seconds(1))
                  .empty());
        CHECK(turns.taken == 0);
    }

    TEST_CASE("data is written back by a child") {
        Processes processes;
        Turns turns(processes.tree, 1000);
        SystemSurroundings surroundings(processes.root, turns, 11, 10);
        CHECK(surroundings.write_back(std::chrono::seconds(60)));
    }
}
