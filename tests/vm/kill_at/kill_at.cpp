// SPDX-License-Identifier: Apache-2.0
// Kills a program at one system call of a thread other than its first, before the kernel does anything of
// it.
//
//   kill_at PID WHAT COUNT    at the COUNTth that fits; WHAT is "spawn", "load", "unload", "jump", or else a text
//   that a
//                             write holds
//
// Says "watching" once it does, and then "killed at WHAT COUNT", or that the program ended without it.
#include <dirent.h>
#include <linux/kexec.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using Call = __ptrace_syscall_info;

constexpr int syscall_stop = SIGTRAP | 0x80;
constexpr std::size_t max_text_bytes = std::size_t{256} * 1024;

bool spawns(std::uint64_t number) {
    return number == SYS_clone || number == SYS_clone3 || number == SYS_fork || number == SYS_vfork;
}

std::string text_at(pid_t process, std::uint64_t address, std::uint64_t length) {
    std::string text(std::min<std::uint64_t>(length, max_text_bytes), '\0');
    iovec here{text.data(), text.size()};
    iovec there{reinterpret_cast<void*>(address), text.size()};
    const ssize_t count = ::process_vm_readv(process, &here, 1, &there, 1, 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return text;
}

bool fits(pid_t process, const Call& call, const std::string& what) {
    const std::uint64_t number = call.entry.nr;
    const auto* const args = call.entry.args;
    if (what == "spawn") {
        return spawns(number);
    }
    if (what == "load" || what == "unload") {
        return number == SYS_kexec_file_load && ((args[4] & KEXEC_FILE_UNLOAD) != 0) == (what == "unload");
    }
    if (what == "jump") {
        return number == SYS_reboot;
    }
    return (number == SYS_write || number == SYS_pwrite64) &&
           text_at(process, args[1], args[2]).find(what) != std::string::npos;
}

// Each thread that is there; those that come are attached to by the kernel.
bool watch(pid_t process) {
    const std::string tasks = "/proc/" + std::to_string(process) + "/task";
    DIR* const directory = ::opendir(tasks.c_str());
    if (directory == nullptr) {
        return false;
    }
    bool any = false;
    while (const dirent* const entry = ::readdir(directory)) {
        const pid_t thread = std::atoi(entry->d_name);
        any =
            (thread > 0 && ::ptrace(PTRACE_SEIZE, thread, 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACESYSGOOD) == 0) ||
            any;
    }
    ::closedir(directory);
    return any;
}

// Waits for what the threads do until the COUNTth call that fits; false where the program ended before.
bool kill_at(pid_t process, const std::string& what, int count) {
    for (;;) {
        int status = 0;
        const pid_t thread = ::waitpid(-1, &status, __WALL);
        if (thread < 0 && errno == ECHILD) {
            return false;
        }
        if (thread < 0 || !WIFSTOPPED(status)) {
            continue;
        }
        const int signal = WSTOPSIG(status);
        Call call = {};
        if (signal == syscall_stop && ::ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof call, &call) > 0 &&
            call.op == PTRACE_SYSCALL_INFO_ENTRY && fits(process, call, what) && --count == 0) {
            ::kill(process, SIGKILL);
            return true;
        }
        const int passed_on = signal == syscall_stop || status >> 16 != 0 ? 0 : signal;
        ::ptrace(thread == process ? PTRACE_CONT : PTRACE_SYSCALL, thread, 0, passed_on);
    }
}

}  // namespace

int main(int count, char** words) {
    if (count != 4) {
        return 2;
    }
    const pid_t process = std::atoi(words[1]);
    if (!watch(process)) {
        std::perror("kill_at");
        return 1;
    }
    std::puts("watching");
    std::fflush(stdout);
    if (!kill_at(process, words[2], std::atoi(words[3]))) {
        std::printf("ended before %s %s\n", words[2], words[3]);
        return 1;
    }
    std::printf("killed at %s %s\n", words[2], words[3]);
    return 0;
}
