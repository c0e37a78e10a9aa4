// SPDX-License-Identifier: Apache-2.0
// A session by posix_spawn, watched through a pipe, a pidfd and an eventfd.
#include "config/base/session_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "config/base/process.hpp"
#include "config/base/unique_fd.hpp"

namespace stillboot {
namespace {

using SteadyClock = std::chrono::steady_clock;
using End = SessionOutcome::End;

constexpr std::chrono::milliseconds kill_deadline{2000};
constexpr int max_chunks = 64;  // more than a pipe holds

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (const std::string& text : texts) {
        pointers.push_back(const_cast<char*>(text.c_str()));
    }
    pointers.push_back(nullptr);
    return pointers;
}

// A signal that we ignore would be ignored in the program, too.
void set_attributes(posix_spawnattr_t& attributes) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    constexpr int flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    posix_spawnattr_setflags(&attributes, static_cast<short>(flags));
}

Result<pid_t> spawn_session(const SessionCommand& command, int output) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    set_attributes(attributes);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    const auto arguments = pointers_to(command.argv);
    const auto environment = pointers_to(command.environment);
    pid_t pid = -1;
    const int failure =
        ::posix_spawn(&pid, arguments[0], &actions, &attributes, arguments.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failure != 0) {
        return Error::from_errno(failure, "base.spawn_failed", {{"program", command.argv.front()}});
    }
    return pid;
}

/// One run. Thread: one.
class Session {
public:
    Session(const SessionCommand& command, pid_t pid, UniqueFd output)
        : command_(command),
          pid_(pid),
          output_(std::move(output)),
          pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))),
          stopped_(::eventfd(0, EFD_CLOEXEC)),
          end_(SteadyClock::now() + command.deadline) {}

    SessionOutcome run();

private:
    End wait();
    bool read_output();
    void take(std::string_view chunk);
    void end_line();
    void reap(SessionOutcome& outcome) const;

    const SessionCommand& command_;
    pid_t pid_;
    UniqueFd output_;
    UniqueFd pidfd_;
    UniqueFd stopped_;
    SteadyClock::time_point end_;
    std::string line_;
    bool in_line_ = false;
    std::size_t lines_ = 0;
    SessionOutcome outcome_;
};

void Session::end_line() {
    if (lines_ < command_.max_lines) {
        ++lines_;
        command_.on_line(line_);
    } else {
        ++outcome_.dropped_lines;
    }
    if (!line_.empty()) {
        outcome_.last_line = std::move(line_);
    }
    line_.clear();
    in_line_ = false;
}

void Session::take(std::string_view chunk) {
    for (const char c : chunk) {
        if (c == '\n') {
            end_line();
            continue;
        }
        in_line_ = true;
        if (line_.size() < command_.max_line_bytes) {
            line_ += c;
        }
    }
}

// What is there now, within bounds, for it may write as fast as we read; false where the output has ended.
bool Session::read_output() {
    std::array<char, 4096> chunk;
    for (int chunks = 0; chunks < max_chunks; ++chunks) {
        const ssize_t count = ::read(output_.get(), chunk.data(), chunk.size());
        if (count <= 0) {
            return count < 0 && (errno == EAGAIN || errno == EINTR);
        }
        take({chunk.data(), static_cast<std::size_t>(count)});
    }
    return true;
}

End Session::wait() {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - SteadyClock::now());
        if (left.count() <= 0) {
            return End::deadline;
        }
        std::array<struct pollfd, 3> watched = {
            {{output_.get(), POLLIN, 0}, {pidfd_.get(), POLLIN, 0}, {stopped_.get(), POLLIN, 0}}};
        if (::poll(watched.data(), watched.size(), static_cast<int>(left.count())) < 0) {
            continue;  // a signal
        }
        if (watched[2].revents != 0) {
            return End::stopped;
        }
        if (watched[0].revents != 0 && !read_output()) {
            output_.reset();  // poll() looks at no closed one
        }
        if (watched[1].revents != 0) {
            return End::exited;
        }
    }
}

// One that is stuck in the kernel does not even end by SIGKILL: it stays behind.
void Session::reap(SessionOutcome& outcome) const {
    int status = 0;
    if (!wait_for_exit(pidfd_.get(), kill_deadline)) {
        return;
    }
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    if (outcome.end == End::exited && WIFSIGNALED(status)) {
        outcome.end = End::signalled;
        outcome.status = WTERMSIG(status);
    } else if (outcome.end == End::exited) {
        outcome.status = WEXITSTATUS(status);
    }
}

SessionOutcome Session::run() {
    const std::stop_callback on_stop(command_.stop, [&] { (void)::eventfd_write(stopped_.get(), 1); });
    outcome_.end = wait();
    // Before it is reaped, while the number of the group is nobody else's.
    ::kill(-pid_, SIGKILL);
    SessionOutcome outcome;
    outcome.end = outcome_.end;
    reap(outcome);
    if (output_) {
        (void)read_output();
    }
    if (in_line_) {
        end_line();
    }
    outcome.last_line = std::move(outcome_.last_line);
    outcome.dropped_lines = outcome_.dropped_lines;
    return outcome;
}

}  // namespace

Result<SessionOutcome> run_session(const SessionCommand& command) {
    std::array<int, 2> ends = {-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return Error::from_errno(errno, "base.spawn_failed", {{"program", command.argv.front()}});
    }
    UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    ::fcntl(reader.get(), F_SETFL, O_NONBLOCK);
    auto pid = spawn_session(command, writer.get());
    if (!pid) {
        return pid.error();
    }
    writer.reset();
    return Session(command, *pid, std::move(reader)).run();
}

}  // namespace stillboot
