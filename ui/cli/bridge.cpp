// SPDX-License-Identifier: Apache-2.0
// Two lanes and a poll(2).
#include "ui/cli/bridge.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>

#include "config/base/unique_fd.hpp"

namespace stillboot::cli {
namespace {

// What was read on one side and is still to be written on the other. No more than a pipe takes without waiting
// once poll(2) has called it writable (PIPE_BUF).
class Lane {
public:
    Lane(int from, int to) : from_(from), to_(to) {}

    [[nodiscard]] pollfd source() const { return {ended_ || at_ < count_ ? -1 : from_, POLLIN, 0}; }
    [[nodiscard]] pollfd sink() const { return {at_ < count_ ? to_ : -1, POLLOUT, 0}; }
    [[nodiscard]] bool is_over() const { return ended_ && at_ == count_; }

    void take() {
        const ssize_t count = ::read(from_, bytes_.data(), bytes_.size());
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
            return;
        }
        at_ = 0;
        count_ = static_cast<std::size_t>(count > 0 ? count : 0);
        ended_ = count_ == 0;
    }
    // False where nobody takes it any more.
    bool give() {
        const ssize_t count = ::write(to_, bytes_.data() + at_, count_ - at_);
        at_ += static_cast<std::size_t>(count > 0 ? count : 0);
        return count > 0 || errno == EINTR || errno == EAGAIN;
    }

private:
    int from_;
    int to_;
    std::array<char, 4096> bytes_{};
    std::size_t at_ = 0;
    std::size_t count_ = 0;
    bool ended_ = false;
};

void carry(Lane& up, Lane& down, int socket) {
    bool told = false;
    while (!down.is_over()) {
        if (up.is_over() && !std::exchange(told, true)) {
            ::shutdown(socket, SHUT_WR);
        }
        std::array<pollfd, 4> waiting = {up.source(), up.sink(), down.source(), down.sink()};
        if (::poll(waiting.data(), waiting.size(), -1) < 0) {
            if (errno != EINTR) {
                return;
            }
            continue;
        }
        const bool taken = (waiting[1].revents == 0 || up.give()) && (waiting[3].revents == 0 || down.give());
        if (!taken) {
            return;
        }
        if (waiting[0].revents != 0) {
            up.take();
        }
        if (waiting[2].revents != 0) {
            down.take();
        }
    }
}

}  // namespace

Result<void> bridge(const std::string& path, int in, int out) {
    const auto fail = [&](int error_number) {
        return Error::from_errno(error_number, "daemon.unreachable", {{"path", path}});
    };
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        return fail(ENAMETOOLONG);
    }
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return fail(errno);
    }
    Lane up(in, socket.get());
    Lane down(socket.get(), out);
    carry(up, down, socket.get());
    return {};
}

}  // namespace stillboot::cli
