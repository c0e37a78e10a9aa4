// SPDX-License-Identifier: Apache-2.0
// ssh(1) as the carrier of a daemon's socket.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "config/base/result.hpp"
#include "config/base/unique_fd.hpp"
#include "daemon/client/address.hpp"

namespace stillboot::client {

/// A running ssh whose other end is `stillboot bridge`. It is ended with the object.
class Ssh {
public:
    /// Starts ssh; whether it gets anywhere is seen on the socket. @error daemon.ssh_failed
    static Result<Ssh> start(const Address& address);
    Ssh(Ssh&& other) noexcept;
    Ssh& operator=(Ssh&&) = delete;
    ~Ssh();

    /// The socket that carries the daemon's; given away once.
    [[nodiscard]] UniqueFd take_socket() { return std::move(socket_); }
    /// Why it ended, once the socket has: ssh's last words, or what its exit status means. Waits a moment for it.
    /// @error daemon.ssh_failed: always
    [[nodiscard]] Error why_ended();

private:
    Ssh(std::string host, UniqueFd socket, UniqueFd words);
    [[nodiscard]] bool reap(std::chrono::milliseconds deadline);

    std::string host_;
    UniqueFd socket_;
    UniqueFd words_;  // its stderr
    UniqueFd process_;
    pid_t pid_ = -1;
    int status_ = -1;  // its exit status, once it has ended
};

}  // namespace stillboot::client
