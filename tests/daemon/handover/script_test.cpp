// SPDX-License-Identifier: Apache-2.0
// Real scripts, of this system and of a device.
#include "daemon/handover/script.hpp"

#include <doctest/doctest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "config/base/memfd.hpp"
#include "tests/kexec/made_images.hpp"
#include "tests/temporary_tree.hpp"

using namespace stillboot;
using namespace stillboot::handover;
using namespace std::chrono_literals;

namespace {

class OneFile final : public Fetcher {
public:
    std::string contents;
    Result<UniqueFd> fetch(const ImageSource& source, std::uint64_t, const Progress&, std::stop_token) override {
        if (source.path != "/there") {
            return Error("base.open_failed", {{"path", source.path}, {"errno", "ENOENT"}});
        }
        return test::sealed(contents);
    }
};

struct Bench {
    Bench() : root(tree.root()) { tree.directory("run/stillboot"); }

    std::string script(const std::string& text, std::filesystem::perms mode = std::filesystem::perms::owner_all) {
        tree.file("script", text);
        std::filesystem::permissions(tree.path() / "script", mode);
        order.source.path = "/script";
        return run();
    }
    std::string run() {
        order.socket = "/run/socket";
        const auto failure = run_script(root, fetcher, order,
                                        [this](const Message& line) { lines.push_back(line.sentence()); }, {});
        return failure ? failure->sentence() : "";
    }
    [[nodiscard]] std::string log() const {
        return root.read_file("run/stillboot/script.log", 1 << 20).value_or("");
    }

    test::TemporaryTree tree;
    Root root;
    OneFile fetcher;
    ScriptOrder order;
    std::vector<std::string> lines;
};

}  // namespace

TEST_SUITE("daemon_handover") {
    TEST_CASE("a script's output goes to the log and to its own, with how it ended") {
        Bench bench;
        bench.tree.file("run/stillboot/script.log", "of before\n");
        CHECK(
            bench.script("#!/bin/sh\necho one; echo two >&2; echo $STILLBOOT_SOCKET $STILLBOOT_SCRIPT\n").empty());
        CHECK(bench.lines ==
              std::vector<std::string>{"script: one", "script: two", "script: /run/socket /script"});
        CHECK(bench.log() == "one\ntwo\n/run/socket /script\nstillbootd: the script ended with status 0\n");
        CHECK(bench.script("#!/bin/sh\necho bad; exit 3\n") == "bad (status 3)");
        CHECK(bench.log() == "bad\nstillbootd: bad (status 3)\n");
    }

    TEST_CASE("what has no #! or may not be executed is a script of the shell") {
        Bench bench;
        CHECK(bench.script("echo plain\n").empty());
        CHECK(bench.script("#!/bin/sh\necho \"$0\"\n", std::filesystem::perms::owner_read).empty());
        CHECK(bench.lines ==
              std::vector<std::string>{"script: plain", "script: " + (bench.tree.path() / "script").string()});
    }

    TEST_CASE("what is missing, or takes too long, is said") {
        Bench bench;
        bench.order.source.path = "/none";
        CHECK(bench.run() ==
              (bench.tree.path() / "none").string() + " cannot be opened: ENOENT (No such file or directory)");
        bench.order.deadline = 50ms;
        CHECK(bench.script("sleep 1000\n") == "it had not ended after 1 s");
    }

    TEST_CASE("a script of a device is fetched") {
        Bench bench;
        bench.fetcher.contents = "#!/bin/sh\necho fetched\n";
        bench.order.source.node = "/dev/vda1";
        bench.order.source.path = "/there";
        CHECK(bench.run().empty());
        CHECK(bench.lines == std::vector<std::string>{"script: fetched"});
        bench.order.source.path = "/not-there";
        CHECK(bench.run() == "/not-there cannot be opened: ENOENT");
    }

    TEST_CASE("much output fills neither log") {
        Bench bench;
        CHECK(bench.script("#!/bin/sh\nseq 100000\n").empty());
        CHECK(bench.lines.size() == max_script_log_lines);
        CHECK(bench.log().size() <= max_script_log_bytes + 100);
        CHECK(bench.log().ends_with("stillbootd: the script ended with status 0\n"));
        CHECK(bench.log().size() > max_script_log_bytes - 100);
    }

    TEST_CASE("a runner tells on the loop how it ended, and a stop ends it") {
        Bench bench;
        boost::asio::io_context loop{1};
        std::vector<std::string> told;
        ScriptRunner runner(loop.get_executor(), bench.root,
                            [&](const Message& line) { told.push_back(line.sentence()); });
        bench.tree.file("script", "echo runs; sleep 1000");
        bench.order.source.path = "/script";
        runner.start(bench.order, [&](const std::optional<Message>& failure) {
            told.push_back(failure ? failure->sentence() : "");
        });
        CHECK(runner.busy());
        const auto work = boost::asio::make_work_guard(loop);
        while (runner.busy()) {
            loop.run_one();
            runner.stop();
        }
        CHECK(told == std::vector<std::string>{"script: runs", "cancelled"});
    }
}
