// SPDX-License-Identifier: Apache-2.0
// Programs in sessions of their own.
#include "config/base/session_process.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "config/base/unique_fd.hpp"

using namespace stillboot;
using namespace std::chrono_literals;
using End = SessionOutcome::End;

namespace {

struct Ran {
    SessionOutcome outcome;
    std::vector<std::string> lines;
};

Ran run(const std::string& script, SessionCommand command = {}) {
    Ran ran;
    command.argv = {"/bin/sh", "-c", script};
    command.on_line = [&](const std::string& line) { ran.lines.push_back(line); };
    const auto outcome = run_session(command);
    REQUIRE(outcome);
    ran.outcome = *outcome;
    return ran;
}

// Ends when every process that holds the other end has ended.
bool all_have_ended(int pipe) {
    struct pollfd watched = {pipe, POLLIN, 0};
    return ::poll(&watched, 1, 10'000) == 1 && (watched.revents & POLLHUP) != 0;
}

// A pipe whose writing end programs get as descriptor 9.
struct Witness {
    Witness() {
        std::array<int, 2> ends = {-1, -1};
        REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
        reader.reset(ends[0]);
        ::dup2(ends[1], 9);
        ::close(ends[1]);
    }
    ~Witness() { ::close(9); }
    UniqueFd reader;
};

}  // namespace

TEST_SUITE("base") {
    TEST_CASE("a session has the environment it is given, no input, and its lines come one by one") {
        SessionCommand command;
        command.environment = {"A=1", "B=two words"};
        const Ran ran =
            run("tr '\\0' '\\n' </proc/$$/environ; pwd; cat; echo err >&2; printf 'no end'; exit 3", command);
        CHECK(ran.lines == std::vector<std::string>{"A=1", "B=two words", "/", "err", "no end"});
        CHECK(ran.outcome.end == End::exited);
        CHECK(ran.outcome.status == 3);
        CHECK(ran.outcome.last_line == "no end");
        CHECK_FALSE(ran.outcome.ok());
        CHECK(run("true").outcome.ok());
    }

    TEST_CASE("a session is its own, and ignores no signal that we ignore") {
        ::signal(SIGPIPE, SIG_IGN);
        const Ran ran =
            run("read -r pid comm state parent group session rest </proc/self/stat; "
                "[ $$ = $session ] && echo own; kill -PIPE $$; echo goes on");
        ::signal(SIGPIPE, SIG_DFL);
        CHECK(ran.lines == std::vector<std::string>{"own"});
        CHECK(ran.outcome.end == End::signalled);
        CHECK(ran.outcome.status == SIGPIPE);
    }

    TEST_CASE("too many lines and too long ones are dropped, and the program is not blocked by it") {
        SessionCommand command;
        command.max_lines = 2;
        command.max_line_bytes = 4;
        const Ran ran = run("echo 123456; echo; for i in 1 2 3; do echo $i; done", command);
        CHECK(ran.lines == std::vector<std::string>{"1234", ""});
        CHECK(ran.outcome.dropped_lines == 3);
        CHECK(ran.outcome.last_line == "3");
        CHECK(run("head -c 1000000 /dev/zero", command).outcome.ok());
    }

    TEST_CASE("after the deadline the whole group is ended, also what it left running") {
        const Witness witness;
        SessionCommand command;
        command.deadline = 300ms;
        const Ran ran = run("sleep 1000 & wait", command);
        CHECK(ran.outcome.end == End::deadline);
        ::close(9);
        CHECK(all_have_ended(witness.reader.get()));
    }

    TEST_CASE("what a session leaves running ends with it, and is not waited for") {
        const Witness witness;
        const Ran ran = run("sleep 1000 & exit 0");
        CHECK(ran.outcome.ok());
        ::close(9);
        CHECK(all_have_ended(witness.reader.get()));
    }

    TEST_CASE("a stop ends it, also one that was asked for before it began") {
        std::stop_source source;
        SessionCommand command;
        command.stop = source.get_token();
        command.argv = {"/bin/sh", "-c", "echo runs; sleep 1000"};
        command.on_line = [&](const std::string&) { source.request_stop(); };
        CHECK(run_session(command)->end == End::stopped);
        CHECK(run_session(command)->end == End::stopped);
    }

    TEST_CASE("a program that writes without end ends at its deadline") {
        SessionCommand command;
        command.deadline = 100ms;
        CHECK(run("yes", command).outcome.end == End::deadline);
    }

    TEST_CASE("what is no program cannot be started") {
        SessionCommand command;
        command.argv = {"/no/such/program"};
        const auto outcome = run_session(command);
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().code() == "base.spawn_failed");
        CHECK(outcome.error().error_number() == ENOENT);
    }
}
