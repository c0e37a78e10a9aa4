// SPDX-License-Identifier: Apache-2.0
// stillboot bless, on made-up machines whose file system with the entries is mounted.
#include <doctest/doctest.h>
#include <unistd.h>

#include "tests/temporary_tree.hpp"
#include "tests/ui/cli/run.hpp"

using stillboot::cli::ExitCode;
using stillboot::test::run_stillboot;
using stillboot::test::TemporaryTree;

namespace {

using Names = std::vector<std::string>;

struct Machine {
    explicit Machine(
        const std::string& command_line = "quiet stillboot-bless.entry=PARTUUID=12-3:/loader/entries/a.conf",
        const std::string& mounts = "30 1 8:1 / /boot/efi rw - vfat /dev/sda1 rw\n") {
        tree.file("proc/cmdline", command_line + "\n");
        tree.file("proc/self/mountinfo", mounts);
        tree.file("dev/sda1", "");
        tree.link("dev/disk/by-partuuid/12-3", "../../sda1");
        tree.file("sys/class/block/sda1/dev", "8:1\n");
        tree.file("boot/efi/loader/entries/a+2-1.conf", "");
        tree.file("boot/efi/loader/entries/b.conf", "");
    }
    [[nodiscard]] Names names() const { return tree.root().list("boot/efi/loader/entries").value(); }
    stillboot::test::Ran bless(Names more = {}) const {
        Names words = {"--root", tree.path().string(), "bless"};
        words.insert(words.end(), more.begin(), more.end());
        return run_stillboot(std::move(words));
    }

    TemporaryTree tree;
};

const Names untouched = {"a+2-1.conf", "b.conf"};

}  // namespace

TEST_SUITE("cli bless") {
    TEST_CASE("a dry run says which file would be called what, and by which verdict") {
        const Machine machine;
        auto ran = machine.bless({"--dry-run"});
        CHECK(ran.code == ExitCode::done);
        CHECK(ran.out == "/boot/efi/loader/entries/a+2-1.conf would be called a.conf from now on\n");
        ran = machine.bless({"--dry-run", "--bad"});
        CHECK(ran.out == "/boot/efi/loader/entries/a+2-1.conf would be called a+0-1.conf from now on\n");
        CHECK(machine.names() == untouched);
    }

    TEST_CASE("good takes the counters away, bad leaves no try, and either is said once") {
        if (::geteuid() != 0) {
            return;  // only root may
        }
        const Machine good;
        auto ran = good.bless();
        CHECK(ran.code == ExitCode::done);
        CHECK(ran.out == "/boot/efi/loader/entries/a+2-1.conf is good: it is called a.conf from now on\n");
        CHECK(good.names() == Names{"a.conf", "b.conf"});
        ran = good.bless();
        CHECK(ran.code == ExitCode::done);
        CHECK(ran.out == "nothing to do: the entry is called /boot/efi/loader/entries/a.conf already\n");

        const Machine bad;
        ran = bad.bless({"--bad"});
        CHECK(ran.out ==
              "/boot/efi/loader/entries/a+2-1.conf is bad: it is called a+0-1.conf from now on, and comes last\n");
        CHECK(bad.bless({"--bad"}).out ==
              "nothing to do: the entry is called /boot/efi/loader/entries/a+0-1.conf already\n");
        CHECK(bad.names() == Names{"a+0-1.conf", "b.conf"});
    }

    TEST_CASE("only root may, but for a dry run") {
        if (::geteuid() == 0) {
            return;
        }
        const Machine machine;
        CHECK(machine.bless().code == ExitCode::refused);
        CHECK(machine.names() == untouched);
    }

    TEST_CASE("a system that was not counted has nothing to bless") {
        const Machine machine("quiet root=/dev/sda1");
        const auto ran = machine.bless({"--dry-run"});
        CHECK(ran.code == ExitCode::not_found);
        CHECK(ran.out ==
              "this system was not started from an entry that counts its tries: there is nothing to bless\n");
    }

    TEST_CASE("a device or an entry that is not there is said") {
        auto ran = Machine("stillboot-bless.entry=UUID=77:/loader/entries/a.conf").bless({"--dry-run"});
        CHECK(ran.code == ExitCode::not_found);
        CHECK(ran.err == "stillboot: the device of the entry /loader/entries/a.conf is not there (uuid 77)\n");
        ran = Machine("stillboot-bless.entry=PARTUUID=12-3:/loader/entries/c.conf").bless({"--dry-run"});
        CHECK(ran.code == ExitCode::not_found);
        CHECK(ran.err.find("there is no entry c.conf, with counters or without") != std::string::npos);
    }

    TEST_CASE("the device is known by its node where its number is not its own") {
        const Machine machine("stillboot-bless.entry=PARTUUID=12-3:/loader/entries/a.conf",
                              "30 1 0:44 / /boot/efi rw - btrfs /dev/sda1 rw\n");
        CHECK(machine.bless({"--dry-run"}).out.find("a.conf from now on") != std::string::npos);
    }

    TEST_CASE("where the entries are not in what is mounted, a dry run mounts nothing") {
        for (const char* mounts : {"", "30 1 8:2 / /boot/efi rw - vfat /dev/sda2 rw\n",
                                   "30 1 8:1 /x /elsewhere rw - vfat /dev/sda1 rw\n"}) {
            const Machine machine("stillboot-bless.entry=PARTUUID=12-3:/loader/entries/a.conf", mounts);
            const auto ran = machine.bless({"--dry-run"});
            CHECK(ran.code == ExitCode::done);
            CHECK(ran.out ==
                  "/dev/sda1 is not mounted: it would be mounted for a moment, and the entry "
                  "/loader/entries/a.conf get its new name there\n");
            CHECK(machine.names() == untouched);
        }
    }

    TEST_CASE("of a disk and its copies the one that is mounted is meant, and none where that is not clear") {
        const auto with_copy = [](const std::string& mounts) {
            Machine machine("stillboot-bless.entry=PARTUUID=12-3:/loader/entries/a.conf", mounts);
            machine.tree.file("sys/class/block/sdb1/dev", "8:17\n");
            machine.tree.file("dev/sdb1", "");
            for (const char* number : {"8:1", "8:17"}) {
                machine.tree.file(std::string("run/udev/data/b") + number, "S:disk/by-partuuid/12-3\n");
            }
            return machine.bless({"--dry-run"});
        };
        CHECK(with_copy("30 1 8:17 / /boot/efi rw - vfat /dev/sdb1 rw\n").out ==
              "/boot/efi/loader/entries/a+2-1.conf would be called a.conf from now on\n");
        const std::string ambiguous =
            "stillboot: which one the entry /loader/entries/a.conf is on is not clear: /dev/sda1, /dev/sdb1 are "
            "all "
            "partuuid 12-3, for they are copies; mount the one that is meant\n";
        for (const char* mounts : {"",
                                   "30 1 8:1 / /boot/efi rw - vfat /dev/sda1 rw\n"
                                   "31 1 8:17 / /boot/efi rw - vfat /dev/sdb1 rw\n"}) {
            const auto ran = with_copy(mounts);
            CHECK(ran.code == ExitCode::failed);
            CHECK(ran.err == ambiguous);
        }
    }

    TEST_CASE("a mount table or a command line that cannot be read is said") {
        Machine machine;
        REQUIRE(machine.tree.root().remove_file("proc/self/mountinfo"));
        CHECK(machine.bless({"--dry-run"}).code == ExitCode::failed);
        REQUIRE(machine.tree.root().remove_file("proc/cmdline"));
        CHECK(machine.bless({"--dry-run"}).code == ExitCode::failed);
    }
}
