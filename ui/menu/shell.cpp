// SPDX-License-Identifier: Apache-2.0
// fork and exec, with the terminal handed over and taken back.
#include "ui/menu/shell.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace stillboot::menu {
namespace {

[[noreturn]] void become(const std::string& path, std::chrono::seconds idle, int failure_pipe) {
    ::setpgid(0, 0);
    ::tcsetpgrp(STDIN_FILENO, ::getpid());
    for (const int number : {SIGTTOU, SIGPIPE, SIGWINCH, SIGTERM, SIGHUP, SIGINT}) {
        std::signal(number, SIG_DFL);
    }
    if (idle.count() > 0) {
        ::setenv("TMOUT", std::to_string(idle.count()).c_str(), 1);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execl(path.c_str(), path.c_str(), "-i", static_cast<char*>(nullptr));
    const int number = errno;
    (void)!::write(failure_pipe, &number, sizeof(number));
    ::_exit(127);
}

}  // namespace

Result<Shell> start_shell(const std::string& path, std::chrono::seconds idle) {
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
        become(path, idle, writer.get());
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

}  // namespace stillboot::menu
