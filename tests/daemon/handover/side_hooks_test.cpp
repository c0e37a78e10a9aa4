// SPDX-License-Identifier: Apache-2.0
#include "daemon/handover/side_hooks.hpp"

#include <doctest/doctest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::handover;
using namespace std::chrono_literals;

namespace {

struct Bench {
    Bench() : root(tree.root()) {}

    void hook(const std::string& path, const std::string& script) {
        const std::string full = "etc/stillboot/hooks/" + path;
        tree.file(full, "#!/bin/sh\n" + script + "\n");
        std::filesystem::permissions(tree.path() / full, std::filesystem::perms::owner_all);
    }
    void run_until_idle() {
        loop.restart();
        const auto work = boost::asio::make_work_guard(loop);
        while (hooks.busy()) {
            loop.run_one();
        }
    }

    test::TemporaryTree tree;
    Root root;
    boost::asio::io_context loop{1};
    std::vector<std::string> lines;
    SideHooks hooks{loop.get_executor(), root, [this](const Message& line) { lines.push_back(line.sentence()); }};
};

}  // namespace

TEST_SUITE("daemon_handover") {
    TEST_CASE("points run one after the other; without hooks nothing is started") {
        Bench bench;
        bench.hook("on-failure.d/tell", "echo \"$STILLBOOT_REASON\"");
        bench.hooks.run(HookPoint::after_discovery, {}, 30s);
        CHECK_FALSE(bench.hooks.busy());
        HookSubject subject;
        for (const char* reason : {"first", "second"}) {
            subject.reason = reason;
            bench.hooks.run(HookPoint::on_failure, subject, 30s);
        }
        CHECK(bench.hooks.busy());
        bench.run_until_idle();
        CHECK(bench.lines == std::vector<std::string>{"hook tell: first", "hook tell: second"});
    }

    TEST_CASE("a stop ends what runs, and what waits is forgotten") {
        Bench bench;
        bench.hook("on-failure.d/hang", "sleep 1000");
        for (std::size_t i = 0; i < SideHooks::max_waiting + 2; ++i) {
            bench.hooks.run(HookPoint::on_failure, {}, 1000s);
        }
        CHECK(bench.lines == std::vector<std::string>{"hooks of on-failure are left out: too many wait"});
        bench.hooks.stop();
        bench.run_until_idle();
        bench.hook("on-failure.d/hang", "echo again");
        bench.hooks.run(HookPoint::on_failure, {}, 30s);
        bench.run_until_idle();
        CHECK(bench.lines.back() == "hook hang: again");
    }

    TEST_CASE("one that is destroyed ends what runs") {
        Bench bench;
        bench.hook("on-failure.d/hang", "sleep 1000");
        SideHooks hooks(bench.loop.get_executor(), bench.root, [](const Message&) {});
        hooks.run(HookPoint::on_failure, {}, 1000s);
        CHECK(hooks.busy());
    }
}
