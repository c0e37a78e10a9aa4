// SPDX-License-Identifier: Apache-2.0
// A program that reads events.
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "config/base/process.hpp"
#include "daemon/events/sink.hpp"
#include "kexec/handover/hooks.hpp"

namespace stillboot::events {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds write_deadline{2000};
constexpr std::chrono::minutes start_window{1};

Result<pid_t> spawn_reader(const std::string& path, int input) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all;
    sigset_t none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    constexpr int flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    posix_spawnattr_setflags(&attributes, static_cast<short>(flags));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    std::array<char*, 2> arguments = {const_cast<char*>(path.c_str()), nullptr};
    std::vector<std::string> environment = handover::plain_environment();
    std::vector<char*> variables;
    for (std::string& each : environment) {
        variables.push_back(each.data());
    }
    variables.push_back(nullptr);
    pid_t pid = -1;
    const int failure =
        ::posix_spawn(&pid, path.c_str(), &actions, &attributes, arguments.data(), variables.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failure != 0) {
        return Error::from_errno(failure, "base.spawn_failed", {{"program", path}});
    }
    return pid;
}

// 0, or the errno of what kept the text from being taken in time.
int send_all(int socket, std::string_view text) {
    const auto end = std::chrono::steady_clock::now() + write_deadline;
    while (!text.empty()) {
        const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            text.remove_prefix(static_cast<std::size_t>(sent));
            continue;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return errno;
        }
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
        struct pollfd waiting = {socket, POLLOUT, 0};
        if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) == 0) {
            return ETIMEDOUT;
        }
    }
    return 0;
}

}  // namespace

ProgramSink::~ProgramSink() {
    end(2000ms);
}

void ProgramSink::end(std::chrono::milliseconds patience) {
    if (pid_ < 0) {
        return;
    }
    input_.reset();
    const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!wait_for_exit(pidfd.get(), patience)) {
        ::kill(-pid_, SIGKILL);
    }
    if (wait_for_exit(pidfd.get(), 2000ms)) {
        ::waitpid(pid_, nullptr, 0);
    }
    pid_ = -1;
}

Result<void> ProgramSink::start() {
    const auto now = std::chrono::steady_clock::now();
    while (!starts_.empty() && now - starts_.front() >= start_window) {
        starts_.pop_front();
    }
    if (starts_.size() == max_starts) {
        return Error("daemon.events_started_too_often",
                     {{"program", path_}, {"count", std::uint64_t{max_starts}}});
    }
    starts_.push_back(now);
    // A socket rather than a pipe: one that has ended raises no SIGPIPE.
    std::array<int, 2> ends = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return Error::from_errno(errno, "base.spawn_failed", {{"program", path_}});
    }
    input_.reset(ends[0]);
    const UniqueFd other(ends[1]);
    auto pid = spawn_reader(path_, other.get());
    if (!pid) {
        return pid.error();
    }
    pid_ = *pid;
    return {};
}

void ProgramSink::sync() {
    constexpr std::chrono::milliseconds step{10};
    int left = 0;
    for (int steps = 0; steps < 100 && pid_ >= 0 && ::ioctl(input_.get(), SIOCOUTQ, &left) == 0 && left > 0;
         ++steps) {
        ::poll(nullptr, 0, static_cast<int>(step.count()));
    }
}

// One that has ended is started again, at once; half a line that it took is told anew.
Result<void> ProgramSink::send(const Line& line) {
    const bool was_running = pid_ >= 0;
    if (!was_running) {
        if (auto started = start(); !started) {
            return started;
        }
    }
    const int failure = send_all(input_.get(), line.text + "\n");
    if (failure == 0) {
        return {};
    }
    end(0ms);
    return was_running && failure == EPIPE
               ? send(line)
               : Result<void>(Error::from_errno(failure, "base.write_failed", {{"path", path_}}));
}

}  // namespace stillboot::events
