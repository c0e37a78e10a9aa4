// SPDX-License-Identifier: Apache-2.0
// Helper processes: posix_spawn, pidfd, waitid.
#include "daemon/probe/helper.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>

extern char** environ;

namespace stillboot::probe {
namespace {

std::string directory_of_this_program() {
    std::array<char, 4096> target = {};
    const ssize_t length = ::readlink("/proc/self/exe", target.data(), target.size());
    const std::string path(target.data(), length < 0 ? 0 : static_cast<std::size_t>(length));
    return path.substr(0, path.rfind('/') == path.npos ? 0 : path.rfind('/'));
}

Result<pid_t> spawn(const std::string& path, const std::string& node, int socket) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, socket, helper_socket);
    posix_spawn_file_actions_addclosefrom_np(&actions, helper_socket + 1);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    // A process group of its own: ^C on the menu's terminal is not meant for a scan. Not a session: setsid() makes a
    // scheduling group (sched_autogroup), for milliseconds in which posix_spawn holds up our loop.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    const std::array<char*, 3> argv = {const_cast<char*>(path.c_str()), const_cast<char*>(node.c_str()), nullptr};
    pid_t pid = -1;
    const int failure = ::posix_spawn(&pid, path.c_str(), &actions, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) {
        return Error::from_errno(failure, "base.spawn_failed", {{"program", path}});
    }
    return pid;
}

std::string signal_name(int signal) {
    const char* abbreviation = ::sigabbrev_np(signal);
    return abbreviation != nullptr ? std::string("SIG") + abbreviation : std::to_string(signal);
}

}  // namespace

Result<std::string> find_helper(std::string_view program) {
    const char* from_environment = std::getenv("STILLBOOT_LIBEXEC");
    const std::string here = directory_of_this_program();
    // ../libexec: an installation that was moved to another prefix, as in an initramfs.
    for (const std::string& directory : {std::string(from_environment != nullptr ? from_environment : ""), here,
                                         here + "/../libexec/stillboot", std::string(STILLBOOT_LIBEXECDIR)}) {
        const std::string path = directory + "/" + std::string(program);
        if (!directory.empty() && ::access(path.c_str(), X_OK) == 0) {
            return path;
        }
    }
    return Error("probe.helper_missing", {{"program", program}, {"directory", STILLBOOT_LIBEXECDIR}});
}

Result<Helper> start_helper(std::string_view program, const std::string& node) {
    auto path = find_helper(program);
    if (!path) {
        return path.error();
    }
    std::array<int, 2> ends = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return Error::from_errno(errno, "base.spawn_failed", {{"program", program}});
    }
    Helper helper;
    helper.socket = UniqueFd(ends[0]);
    const UniqueFd theirs(ends[1]);
    ::fcntl(helper.socket.get(), F_SETFL, O_NONBLOCK);
    auto pid = spawn(*path, node, theirs.get());
    if (!pid) {
        return pid.error();
    }
    helper.pid = *pid;
    // Nobody else reaps it, so the number is still its own here.
    helper.pidfd = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
    if (!helper.pidfd) {
        const int failure = errno;
        ::kill(*pid, SIGKILL);
        ::waitpid(*pid, nullptr, 0);
        return Error::from_errno(failure, "base.spawn_failed", {{"program", program}});
    }
    return helper;
}

void kill_helper(const Helper& helper) {
    ::syscall(SYS_pidfd_send_signal, helper.pidfd.get(), SIGKILL, nullptr, 0);
}

std::optional<Error> reap_helper(const Helper& helper, std::string_view program, const std::string& node) {
    siginfo_t info = {};
    int failed = -1;
    do {
        failed = ::waitid(P_PIDFD, static_cast<id_t>(helper.pidfd.get()), &info, WEXITED | WNOHANG);
    } while (failed != 0 && errno == EINTR);
    if (failed != 0 || (info.si_code == CLD_EXITED && info.si_status == 0)) {
        return std::nullopt;
    }
    if (info.si_code == CLD_EXITED) {
        return Error("probe.helper_failed", {{"program", program}, {"device", node}, {"status", info.si_status}});
    }
    return Error("probe.helper_crashed",
                 {{"program", program}, {"device", node}, {"signal", signal_name(info.si_status)}});
}

}  // namespace stillboot::probe
