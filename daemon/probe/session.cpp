// SPDX-License-Identifier: Apache-2.0
// Waiting for a helper, and ending it.
#include "daemon/probe/session.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>

#include "config/base/process.hpp"

namespace stillboot::probe {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds end_deadline{3'000};

}  // namespace

Result<Session> Session::start(std::string_view program, const Order& order, std::string named,
                               std::stop_token stop) {
    auto helper = start_helper(program, named);
    if (!helper) {
        return helper.error();
    }
    // A new socket has room for it; a helper that has gone already is found by what it did not say.
    (void)send_packet(helper->socket.get(), to_text(order));
    return Session(std::move(*helper), program, std::move(named), std::move(stop));
}

Session::~Session() {
    if (!ended_ && helper_.pidfd) {
        (void)end();
    }
}

Result<Packet> Session::receive(Instant until, milliseconds limit) {
    if (auto waited = wait(until, limit); !waited) {
        return end_with(waited.error());
    }
    auto packet = receive_packet(helper_.socket.get());
    if (!packet) {
        return end_with(packet.error());
    }
    return *packet ? Result<Packet>(std::move(**packet)) : Result<Packet>(gone());
}

Result<void> Session::wait(Instant until, milliseconds limit) {
    const UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const std::stop_callback on_stop(stop_, [&wake] { (void)::eventfd_write(wake.get(), 1); });
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now()).count();
        std::array<struct pollfd, 2> waiting = {{{helper_.socket.get(), POLLIN, 0}, {wake.get(), POLLIN, 0}}};
        const int ready =
            ::poll(waiting.data(), waiting.size(), static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30)));
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready > 0 && waiting[1].revents != 0) {
            return Error("probe.cancelled", {{"device", named_}});
        }
        if (ready > 0) {
            return {};
        }
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit).count();
        return Error("probe.helper_timed_out",
                     {{"program", program_}, {"device", named_}, {"seconds", std::int64_t{seconds}}});
    }
}

std::optional<Error> Session::end() {
    ended_ = true;
    kill_helper(helper_);
    if (wait_for_exit(helper_.pidfd.get(), end_deadline)) {
        (void)reap_helper(helper_, program_, named_);
        return std::nullopt;
    }
    return Error("probe.helper_stuck", {{"program", program_}, {"device", named_}, {"pid", helper_.pid}});
}

Error Session::end_with(const Error& reason) {
    auto stuck = end();
    return stuck ? *stuck : reason;
}

// The socket has closed without an answer: the process's end says why.
Error Session::gone() {
    if (!wait_for_exit(helper_.pidfd.get(), end_deadline)) {
        return end_with(Error("probe.helper_broke_protocol", {{"what", "closed its socket"}}));
    }
    ended_ = true;
    auto crash = reap_helper(helper_, program_, named_);
    return crash ? *crash : Error("probe.helper_broke_protocol", {{"what", "ended without an answer"}});
}

}  // namespace stillboot::probe
