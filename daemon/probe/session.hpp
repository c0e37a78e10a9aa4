// SPDX-License-Identifier: Apache-2.0
// One conversation with a helper on the caller's own thread, by poll(2): what fetch and scan clients share.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "config/base/result.hpp"
#include "daemon/probe/helper.hpp"
#include "daemon/probe/wire.hpp"

namespace stillboot::probe {

/// Blocking. The process is ended and reaped by end(), which every way out must call; a Session that goes
/// without it ends the process as well.
class Session {
public:
    using Instant = std::chrono::steady_clock::time_point;

    /// Starts the program and sends its order. `named` is what messages call the device or file.
    /// @error probe.helper_missing, base.spawn_failed
    static Result<Session> start(std::string_view program, const Order& order, std::string named,
                                 std::stop_token stop);
    Session(Session&&) = default;
    Session& operator=(Session&&) = delete;
    ~Session();

    /// The next packet. @error probe.cancelled, probe.helper_timed_out (naming `limit`), and for a process that
    /// has ended or closed its socket probe.helper_crashed, probe.helper_failed or probe.helper_broke_protocol
    Result<Packet> receive(Instant until, std::chrono::milliseconds limit);
    [[nodiscard]] int socket() const { return helper_.socket.get(); }
    /// Ends and reaps the process. Empty, or probe.helper_stuck.
    std::optional<Error> end();
    /// The reason, or that the process is stuck, which is worse.
    Error end_with(const Error& reason);

private:
    Session(Helper helper, std::string_view program, std::string named, std::stop_token stop)
        : helper_(std::move(helper)), program_(program), named_(std::move(named)), stop_(std::move(stop)) {}

    Result<void> wait(Instant until, std::chrono::milliseconds limit);
    Error gone();

    Helper helper_;
    std::string program_;
    std::string named_;
    std::stop_token stop_;
    bool ended_ = false;
};

}  // namespace stillboot::probe
