// SPDX-License-Identifier: Apache-2.0
// Child processes by posix_spawn and pidfd.
#include "config/base/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>

#include "config/base/unique_fd.hpp"

extern char** environ;

namespace stillboot {
namespace {

constexpr std::chrono::milliseconds kill_deadline{2000};

using SteadyClock = std::chrono::steady_clock;

int remaining_ms(SteadyClock::time_point end) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - SteadyClock::now()).count();
    return left < 0 ? 0 : static_cast<int>(left);
}

Result<pid_t> spawn_with_output(const std::vector<std::string>& argv, int output) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    std::vector<char*> arguments;
    for (const auto& argument : argv) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    pid_t pid = -1;
    const int failure = ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) {
        return Error::from_errno(failure, "base.spawn_failed", {{"program", argv.front()}});
    }
    return pid;
}

// Reads until every writer has closed, or until the deadline; true when it was the end of the output.
bool collect_output(int fd, SteadyClock::time_point end, std::size_t max_bytes, std::string& output) {
    std::array<char, 4096> chunk;
    for (;;) {
        struct pollfd waiting = {fd, POLLIN, 0};
        if (::poll(&waiting, 1, remaining_ms(end)) == 0) {
            return false;
        }
        const ssize_t count = ::read(fd, chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return true;
        }
        output.append(chunk.data(), std::min(static_cast<std::size_t>(count), max_bytes - output.size()));
    }
}

}  // namespace

bool wait_for_exit(int pidfd, std::chrono::milliseconds deadline) {
    const auto end = SteadyClock::now() + deadline;
    for (;;) {
        struct pollfd waiting = {pidfd, POLLIN, 0};
        const int ready = ::poll(&waiting, 1, remaining_ms(end));
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        return ready > 0;
    }
}

Result<ProcessOutcome> SystemProcessRunner::run(const Command& command) {
    std::array<int, 2> ends = {-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return Error::from_errno(errno, "base.spawn_failed", {{"program", command.argv.front()}});
    }
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    auto pid = spawn_with_output(command.argv, writer.get());
    if (!pid) {
        return pid.error();
    }
    writer.reset();
    const auto end = SteadyClock::now() + command.deadline;
    const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
    ProcessOutcome outcome;
    collect_output(reader.get(), end, command.max_output_bytes, outcome.output);
    const bool ended = wait_for_exit(pidfd.get(), std::chrono::milliseconds(remaining_ms(end)));
    if (!ended) {
        ::kill(*pid, SIGKILL);
    }
    int status = 0;
    // One that is stuck in the kernel does not even end by that: it stays behind.
    if (wait_for_exit(pidfd.get(), kill_deadline)) {
        while (::waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
        }
    }
    if (!ended) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(command.deadline).count();
        return Error("base.child_timed_out",
                     {{"program", command.argv.front()}, {"seconds", std::int64_t{seconds}}});
    }
    outcome.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return outcome;
}

}  // namespace stillboot
