// SPDX-License-Identifier: Apache-2.0
// The effects that production uses: forked writers and readers, interfaces, udev, time.
#include "quiesce/ports.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cstring>
#include <thread>

#include "quiesce/block_place.hpp"
#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {
namespace {

constexpr std::size_t block_bytes = 4096;
// udev answers between two events, late on a machine that is busy; as long as udevadm itself would wait.
constexpr std::chrono::seconds event_queue_deadline{60};

// The rest of a forked worker: it holds `fd` alone, so that one left behind in the kernel keeps no socket, no
// memory file and no mount of ours alive.
void drop_everything_but(int fd) {
    ::dup2(fd, 0);
    ::syscall(SYS_close_range, 1U, ~0U, 0U);
    ::prctl(PR_SET_NAME, "stillboot-work");
}

int bounded_status(int error_number) {
    return error_number > 0 && error_number < 256 ? error_number : 255;
}

// How an ended child ended, as waitpid(2) gives it.
int reap(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

// Its exit status is an errno, 0 for success. Nobody sends it a signal, but the kernel ends it where a driver
// dies.
WriteOutcome outcome_of(int status) {
    if (!WIFEXITED(status)) {
        return {WriteOutcome::End::crashed, 0};
    }
    const int error_number = WEXITSTATUS(status);
    return {error_number == 0 ? WriteOutcome::End::done : WriteOutcome::End::failed, error_number};
}

[[noreturn]] void write_and_exit(int fd, const char* text, std::size_t length) {
    drop_everything_but(fd);
    const ssize_t written = ::write(0, text, length);
    ::_exit(written == static_cast<ssize_t>(length) ? 0 : written < 0 ? bounded_status(errno) : EIO);
}

[[noreturn]] void read_and_exit(int root_fd, const char* path) {
    alignas(block_bytes) static std::array<char, block_bytes> block;
    // Before the open, which may never return: a descriptor that stays behind here holds a lock, or a client.
    drop_everything_but(root_fd);
    // O_DIRECT: the page cache must not answer for the disk. Not every file system knows it.
    int fd = ::openat(0, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_DIRECT);
    if (fd < 0 && errno == EINVAL) {
        fd = ::openat(0, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    if (fd < 0) {
        ::_exit(bounded_status(errno));
    }
    const ssize_t count = ::read(fd, block.data(), block.size());
    ::_exit(count > 0 ? 0 : count == 0 ? ENODATA : bounded_status(errno));
}

}  // namespace

ForkedWriter::~ForkedWriter() {
    (void)left_behind();
}

WriteOutcome AttributeWriter::write(const Root& root, const std::string& path, const std::string& text,
                                    std::chrono::milliseconds deadline) {
    const auto ticket = start(root, path, text);
    if (!ticket) {
        return {WriteOutcome::End::failed, ticket.error().error_number()};
    }
    const auto ended = wait(deadline);
    if (ended.empty()) {
        leave_behind(*ticket);
        return {WriteOutcome::End::hung, 0};
    }
    return ended.front().outcome;
}

Result<int> ForkedWriter::start(const Root& root, const std::string& path, const std::string& text) {
    // O_NONBLOCK for the open alone: only the write may take its time.
    auto fd = root.open_file(path, O_WRONLY | O_NOCTTY | O_NONBLOCK);
    if (!fd) {
        return fd.error();
    }
    ::fcntl(fd->get(), F_SETFL, O_WRONLY);
    const char* const bytes = text.data();
    const std::size_t length = text.size();
    const pid_t pid = ::fork();
    if (pid == 0) {
        write_and_exit(fd->get(), bytes, length);
    }
    if (pid < 0) {
        return Error::from_errno(errno, "base.spawn_failed", {{"program", path}});
    }
    under_way_.emplace(pid, UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))));
    return pid;
}

std::vector<AttributeWriter::Ended> ForkedWriter::wait(std::chrono::milliseconds patience) {
    std::vector<struct pollfd> waiting;
    std::vector<pid_t> pids;
    for (const auto& [pid, pidfd] : under_way_) {
        waiting.push_back({pidfd.get(), POLLIN, 0});
        pids.push_back(pid);
    }
    std::vector<Ended> ended;
    if (waiting.empty() || ::poll(waiting.data(), waiting.size(), static_cast<int>(patience.count())) <= 0) {
        return ended;
    }
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        if (waiting[i].revents != 0) {
            ended.push_back({pids[i], outcome_of(reap(pids[i]))});
            under_way_.erase(pids[i]);
        }
    }
    return ended;
}

void ForkedWriter::leave_behind(int ticket) {
    if (under_way_.erase(ticket) > 0) {
        left_.push_back(ticket);
    }
}

std::vector<pid_t> ForkedWriter::left_behind() {
    std::erase_if(left_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
    return left_;
}

Result<void> ForkedDiskReader::read_first_sector(const Root& root, const std::string& disk,
                                                 std::chrono::milliseconds deadline) {
    const std::string path = node_of_name(disk).substr(1);  // relative to the root, which openat(2) is given
    const pid_t pid = ::fork();
    if (pid == 0) {
        read_and_exit(root.fd(), path.c_str());
    }
    if (pid < 0) {
        return Error::from_errno(errno, "quiesce.disk_unreadable", {{"disk", disk}});
    }
    const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!wait_for_exit(pidfd.get(), deadline)) {
        return Error("quiesce.disk_hung", {{"disk", disk}});
    }
    const WriteOutcome outcome = outcome_of(reap(pid));
    if (!outcome.done()) {
        const int why = outcome.error_number == 0 ? EIO : outcome.error_number;
        return Error::from_errno(why, "quiesce.disk_unreadable", {{"disk", disk}});
    }
    return {};
}

Result<void> SystemNetworkControl::set_up(const std::string& interface) {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    struct ifreq request = {};
    std::strncpy(request.ifr_name, interface.c_str(), sizeof request.ifr_name - 1);
    if (!socket || ::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) {
        return Error::from_errno(errno, "quiesce.interface_not_up", {{"interface", interface}});
    }
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) {
        return Error::from_errno(errno, "quiesce.interface_not_up", {{"interface", interface}});
    }
    return {};
}

bool UdevQueue::present() const {
    return root_.lstat("/run/udev/control").has_value();
}

Result<void> UdevQueue::control(const std::string& order) {
    if (!present()) {
        return {};
    }
    auto outcome = runner_.run({{"udevadm", "control", order}, event_queue_deadline, 4096});
    if (!outcome) {
        return outcome.error();
    }
    if (!outcome->ok()) {
        return Error("base.child_failed", {{"program", "udevadm control " + order},
                                           {"status", outcome->exit_status},
                                           {"output", outcome->output}});
    }
    return {};
}

Result<void> UdevQueue::stop() {
    return control("--stop-exec-queue");
}

Result<void> UdevQueue::start() {
    return control("--start-exec-queue");
}

void UdevQueue::settle(std::chrono::seconds deadline) {
    if (present()) {
        const std::string timeout = "--timeout=" + std::to_string(deadline.count());
        (void)runner_.run({{"udevadm", "settle", timeout}, deadline + std::chrono::seconds(5), 4096});
    }
}

void SystemProcesses::ask_to_end(const std::string& pid) {
    const auto number = static_cast<pid_t>(parse_number(pid, 10));
    if (number > 1) {
        ::kill(number, SIGTERM);
    }
}

void SystemPause::wait(std::chrono::milliseconds time) {
    std::this_thread::sleep_for(time);
}

SystemPorts::SystemPorts(const Root& root) : root_(root), events_(root, runner_), journal_(root) {}

Ports SystemPorts::ports() {
    return {root_,           writer_,  disks_, network_, events_,
            processes_,      journal_, clock_, pause_,   creation_order_by_inode,
            entries_by_inode};
}

}  // namespace stillboot::quiesce
