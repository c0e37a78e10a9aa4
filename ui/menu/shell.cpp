// SPDX-License-Identifier: Apache-2.0
// fork and exec, with the terminal handed over and taken back.
#include "ui/menu/shell.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace stillboot::menu {
namespace {

// The kernel tells of keys in steps of this length (drivers/tty/tty_io.c, tty_update_time).
constexpr std::chrono::seconds key_step{8};

[[noreturn]] void become(const std::string& path, int failure_pipe) {
    ::setpgid(0, 0);
    ::tcsetpgrp(STDIN_FILENO, ::getpid());
    for (const int number : {SIGTTOU, SIGPIPE, SIGWINCH, SIGTERM, SIGHUP, SIGINT}) {
        std::signal(number, SIG_DFL);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execl(path.c_str(), path.c_str(), "-i", static_cast<char*>(nullptr));
    const int number = errno;
    (void)!::write(failure_pipe, &number, sizeof(number));
    ::_exit(127);
}

// When the terminal was read from last, in the seconds of a clock that may jump: good to be compared with itself.
std::int64_t read_at() {
    struct stat terminal = {};
    return ::fstat(STDIN_FILENO, &terminal) == 0 ? std::int64_t{terminal.st_atim.tv_sec} : 0;
}

}  // namespace

Result<Shell> start_shell(const std::string& path) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return Error::from_errno(errno, "ui.shell_failed", {{"path", path}});
    }
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    std::signal(SIGTTOU, SIG_IGN);  // taking the terminal back from the background must not stop us
    const pid_t pid = ::fork();
    if (pid < 0) {
        return Error::from_errno(errno, "ui.shell_failed", {{"path", path}});
    }
    if (pid == 0) {
        become(path, writer.get());
    }
    writer.reset();
    Shell shell{pid, UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)))};
    int failure = 0;
    if (::read(reader.get(), &failure, sizeof(failure)) == sizeof(failure)) {
        finish_shell(shell);
        return Error::from_errno(failure, "ui.shell_failed", {{"path", path}});
    }
    return shell;
}

void finish_shell(const Shell& shell) {
    ::waitpid(shell.pid, nullptr, 0);
    ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
}

ShellUse::ShellUse(pid_t shell, Instant now) : shell_(shell), last_(now), read_at_(read_at()) {}

ShellUse::Instant ShellUse::look(Instant now) {
    const pid_t foreground = ::tcgetpgrp(STDIN_FILENO);
    const bool runs_program = foreground > 0 && foreground != shell_;
    const std::int64_t before = std::exchange(read_at_, read_at());
    if (read_at_ != before || runs_program) {
        last_ = now;
    }
    return std::min(now, last_ + key_step);
}

void ShellUse::hang_up() const {
    ::kill(shell_, SIGHUP);
}

}  // namespace stillboot::menu
