// SPDX-License-Identifier: Apache-2.0
// Hooks as real scripts in a directory.
#include "kexec/handover/hooks.hpp"

#include <doctest/doctest.h>

#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::handover;
using namespace std::chrono_literals;

namespace {

using Lines = std::vector<std::string>;

const std::string shipped = "usr/lib/stillboot/hooks/";
const std::string administered = "etc/stillboot/hooks/";

struct Bench {
    Bench() : root(tree.root()) {}

    void hook(const std::string& path, const std::string& script) {
        tree.file(path, "#!/bin/sh\n" + script + "\n");
        std::filesystem::permissions(tree.path() / path, std::filesystem::perms::owner_all);
    }
    Result<void> run(HookPoint point, std::chrono::milliseconds deadline = 30s) {
        SystemHooks hooks(root, deadline);
        return hooks.run(
            point, subject, [this](const Message& line) { lines.push_back(line.sentence()); }, stop.get_token());
    }
    Lines names(HookPoint point) { return SystemHooks(root, 1s).names(point); }

    stillboot::test::TemporaryTree tree;
    Root root;
    HookSubject subject;
    Lines lines;
    std::stop_source stop;
};

std::string why(const Result<void>& done) {
    return done ? "" : done.error().sentence();
}

}  // namespace

TEST_SUITE("handover") {
    TEST_CASE("hooks stand in the order of their names; one in /etc replaces or masks its namesake") {
        Bench bench;
        bench.hook(shipped + "before-boot.d/20-b", "true");
        bench.hook(shipped + "before-boot.d/10-a", "echo shipped");
        bench.hook(shipped + "before-boot.d/30-masked", "true");
        bench.hook(shipped + "before-boot.d/40-masked", "true");
        bench.hook(administered + "before-boot.d/15-c", "true");
        bench.hook(administered + "before-boot.d/10-a", "echo replaced");
        bench.hook(administered + "before-boot.d/.hidden", "true");
        bench.tree.file(administered + "before-boot.d/30-masked", "");
        bench.tree.link(administered + "before-boot.d/40-masked", "/dev/null");
        bench.tree.file(administered + "before-boot.d/50-directory/x", "");
        CHECK(bench.names(HookPoint::before_boot) == Lines{"10-a", "15-c", "20-b"});
        CHECK(bench.names(HookPoint::on_failure).empty());
        CHECK(bench.run(HookPoint::before_boot));
        CHECK(bench.lines == Lines{"/etc/stillboot/hooks/before-boot.d/50-directory is no hook: it is not a file "
                                   "that can be executed "
                                   "(an empty one in /etc masks its namesake)",
                                   "hook 10-a: replaced"});
    }

    TEST_CASE("a file that cannot be executed refuses the boot where a hook may, before any is run") {
        for (const HookPoint point : {HookPoint::before_boot, HookPoint::before_quiesce}) {
            Bench bench;
            const std::string word(to_word(point));
            bench.hook(shipped + word + ".d/1", "true");
            bench.tree.file(shipped + word + ".d/2", "#!/bin/sh\n");
            CHECK(bench.names(point) == Lines{"1", "2"});
            CHECK(why(bench.run(point)) ==
                  "the hook 2 of " + word +
                      " failed: it cannot be executed: chmod +x makes it a hook, and an empty file of its name in "
                      "/etc switches it off");
            bench.tree.file(administered + word + ".d/2", "");
            CHECK(bench.run(point));
        }
    }

    TEST_CASE("elsewhere it is said, and nothing more") {
        Bench bench;
        bench.tree.file(shipped + "on-failure.d/1", "#!/bin/sh\n");
        CHECK(bench.names(HookPoint::on_failure).empty());
        CHECK(bench.run(HookPoint::on_failure));
        CHECK(bench.lines ==
              Lines{"/usr/lib/stillboot/hooks/on-failure.d/1 is no hook: it is not a file that can be "
                    "executed (an empty one in /etc masks its namesake)"});
    }

    TEST_CASE("one hook too many refuses the boot where a hook may") {
        Bench bench;
        for (int i = 100; i < 165; ++i) {
            bench.hook(shipped + "before-boot.d/" + std::to_string(i), "echo runs");
        }
        CHECK(why(bench.run(HookPoint::before_boot)) ==
              "the hook 164 of before-boot failed: only 64 hooks of a point are run, and it comes after them");
        CHECK(bench.lines.empty());
    }

    TEST_CASE("a point has 64 hooks at most") {
        Bench bench;
        for (int i = 100; i < 166; ++i) {
            bench.hook(shipped + "on-failure.d/" + std::to_string(i), "true");
        }
        const FoundHooks found = find_hooks(bench.root, HookPoint::on_failure);
        CHECK(found.paths.size() == 64);
        REQUIRE(found.notes.size() == 2);
        CHECK(found.notes[0].sentence() ==
              "/usr/lib/stillboot/hooks/on-failure.d/164 is not run: 64 hooks come before it");
    }

    TEST_CASE("a hook has the documented environment and no other") {
        Request request;
        request.option_id = "disk/grub/debian";
        request.title = "Debian\n\x1b[2J";
        request.kernel.node = "/dev/vda1";
        request.kernel.path = "/vmlinuz";
        request.command_line = "root=/dev/vda1 quiet";
        request.attempt = 2;
        HookSubject subject = subject_of(request);
        subject.reason = "none";
        CHECK(hook_environment(HookPoint::before_quiesce, subject) ==
              Lines{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "LANG=C.UTF-8",
                    "STILLBOOT_VERSION=" STILLBOOT_VERSION, "STILLBOOT_HOOK=before-quiesce",
                    "STILLBOOT_OPTION=disk/grub/debian", "STILLBOOT_TITLE=Debian??[2J",
                    "STILLBOOT_DEVICE=/dev/vda1", "STILLBOOT_KERNEL=/vmlinuz",
                    "STILLBOOT_ARGS=root=/dev/vda1 quiet", "STILLBOOT_REASON=none", "STILLBOOT_ATTEMPT=2"});
        Bench bench;
        bench.hook(shipped + "after-discovery.d/env", "env | grep -c STILLBOOT; echo \"$STILLBOOT_HOOK\"");
        CHECK(bench.run(HookPoint::after_discovery));
        CHECK(bench.lines == Lines{"hook env: 9", "hook env: after-discovery"});
    }

    TEST_CASE("the first hook that fails refuses the boot, with its last line as the reason") {
        for (const HookPoint point : {HookPoint::before_boot, HookPoint::before_quiesce}) {
            Bench bench;
            const std::string word(to_word(point));
            bench.hook(shipped + word + ".d/1", "echo not today; exit 4");
            bench.hook(shipped + word + ".d/2", "echo runs");
            CHECK(why(bench.run(point)) == "the hook 1 of " + word + " failed: not today (status 4)");
            CHECK(bench.lines == Lines{"hook 1: not today"});
        }
    }

    TEST_CASE("what cannot refuse anything is said, and those behind it run") {
        for (const HookPoint point : {HookPoint::after_discovery, HookPoint::on_failure}) {
            Bench bench;
            const std::string word(to_word(point));
            bench.hook(shipped + word + ".d/1", "exit 4");
            bench.hook(shipped + word + ".d/2", "echo runs");
            const std::string failed = "the hook 1 of " + word + " failed: it ended with status 4";
            CHECK(why(bench.run(point)) == failed);
            CHECK(bench.lines == Lines{failed, "hook 2: runs"});
        }
    }

    TEST_CASE("a hook fails by a signal, by its deadline, and where it cannot be started") {
        Bench bench;
        const std::string directory = shipped + "before-boot.d/";
        bench.hook(directory + "h", "kill -KILL $$");
        CHECK(why(bench.run(HookPoint::before_boot)) ==
              "the hook h of before-boot failed: it was ended by signal 9");
        bench.hook(directory + "h", "echo begins; sleep 1000");
        CHECK(why(bench.run(HookPoint::before_boot, 100ms)) ==
              "the hook h of before-boot failed: it had not ended after 1 s");
        bench.tree.file(directory + "h", "#!/no/such/interpreter\n");
        CHECK(why(bench.run(HookPoint::before_boot)) ==
              "the hook h of before-boot failed: " + (bench.tree.path() / directory / "h").string() +
                  " cannot be started: ENOENT (No such file or directory)");
    }

    TEST_CASE("a hook that is stopped is no failure of its own") {
        Bench bench;
        bench.hook(shipped + "before-boot.d/h", "sleep 1000");
        bench.stop.request_stop();
        CHECK(bench.run(HookPoint::before_boot).error().code() == "handover.cancelled");
    }

    TEST_CASE("what a hook prints beyond its bound is counted") {
        Bench bench;
        bench.hook(shipped + "before-boot.d/h", "seq 205");
        CHECK(bench.run(HookPoint::before_boot));
        CHECK(bench.lines.size() == 201);
        CHECK(bench.lines.back() == "hook h: 5 more lines are left out");
    }
}
