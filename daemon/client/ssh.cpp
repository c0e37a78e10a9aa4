// SPDX-License-Identifier: Apache-2.0
// Starting ssh, and its failures in words.
#include "daemon/client/ssh.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <vector>

#include "config/base/process.hpp"

namespace stillboot::client {
namespace {

constexpr std::chrono::milliseconds patience{2'000};
constexpr int status_no_command = 127;  // of the shell on the other side
constexpr std::size_t max_words = 4'096;

Error failed(const std::string& host, std::string_view reason) {
    return Error("daemon.ssh_failed", {{"host", host}, {"reason", reason}});
}

std::vector<std::string> command_of(const Address& address) {
    std::vector<std::string> argv = {"ssh", "-T", "-o", "ConnectTimeout=10"};
    // A machine that has gone without a word closes nothing: ssh asks after 15 s of silence, and ends after 60.
    argv.insert(argv.end(), {"-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"});
    if (!address.may_ask) {
        argv.insert(argv.end(), {"-o", "BatchMode=yes"});
    }
    if (address.port != 0) {
        argv.insert(argv.end(), {"-p", std::to_string(address.port)});
    }
    if (!address.user.empty()) {
        argv.insert(argv.end(), {"-l", address.user});
    }
    argv.insert(argv.end(), {"--", address.host, "stillboot", "bridge"});
    return argv;
}

// Starts a program with one socket as its input and output. An errno, or 0.
int spawn(const std::vector<std::string>& command, int socket, int words, pid_t& pid) {
    std::vector<char*> argv;
    for (const std::string& word : command) {
        argv.push_back(const_cast<char*>(word.c_str()));
    }
    argv.push_back(nullptr);
    sigset_t none;
    sigset_t pipe;
    ::sigemptyset(&none);
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &pipe);
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, socket, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, words, STDERR_FILENO);
    const int failure = ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    return failure;
}

// The last line that says something.
std::string last_line(std::string text) {
    text.erase(text.find_last_not_of(" \t\r\n") + 1);
    const std::size_t begin = text.find_last_of("\r\n");
    return begin == text.npos ? text : text.substr(begin + 1);
}

}  // namespace

Ssh::Ssh(std::string host, UniqueFd socket, UniqueFd words)
    : host_(std::move(host)), socket_(std::move(socket)), words_(std::move(words)) {}

Ssh::Ssh(Ssh&& other) noexcept
    : host_(std::move(other.host_)),
      socket_(std::move(other.socket_)),
      words_(std::move(other.words_)),
      process_(std::move(other.process_)),
      pid_(std::exchange(other.pid_, -1)),
      status_(other.status_) {}

Ssh::~Ssh() {
    socket_.reset();
    if (pid_ < 0) {
        return;
    }
    // It puts the terminal back where it was asking for a password.
    ::kill(pid_, SIGTERM);
    if (!reap(patience)) {
        ::kill(pid_, SIGKILL);
        (void)reap(patience);
    }
}

Result<Ssh> Ssh::start(const Address& address) {
    std::array<int, 2> ends = {};
    std::array<int, 2> words = {};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return failed(address.host, errno_words(errno));
    }
    UniqueFd socket(ends[0]);
    const UniqueFd its_socket(ends[1]);
    if (::pipe2(words.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        return failed(address.host, errno_words(errno));
    }
    UniqueFd its_words_here(words[0]);
    const UniqueFd its_words(words[1]);
    Ssh ssh(address.host, std::move(socket), std::move(its_words_here));
    if (const int failure = spawn(command_of(address), its_socket.get(), its_words.get(), ssh.pid_);
        failure != 0) {
        ssh.pid_ = -1;
        return failed(address.host, "the program ssh cannot be started: " + errno_words(failure));
    }
    ssh.process_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, ssh.pid_, 0)));
    return ssh;
}

bool Ssh::reap(std::chrono::milliseconds deadline) {
    if (pid_ < 0) {
        return true;
    }
    siginfo_t info = {};
    if (!wait_for_exit(process_.get(), deadline) ||
        ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) {
        return false;
    }
    pid_ = -1;
    status_ = info.si_code == CLD_EXITED ? info.si_status : -1;
    return true;
}

Error Ssh::why_ended() {
    if (!reap(patience)) {
        return failed(host_, "ssh closed the connection");
    }
    if (status_ == status_no_command) {
        return failed(host_, "the program stillboot is not found there");
    }
    std::array<char, max_words> bytes = {};
    const ssize_t count = ::read(words_.get(), bytes.data(), bytes.size());
    std::string words = last_line({bytes.data(), static_cast<std::size_t>(count > 0 ? count : 0)});
    constexpr std::string_view own = "stillboot: ";
    if (words.starts_with(own)) {
        words.erase(0, own.size());
    }
    return failed(host_, words.empty() ? "ssh ended with status " + std::to_string(status_) : words);
}

}  // namespace stillboot::client
