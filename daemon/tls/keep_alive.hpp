// SPDX-License-Identifier: Apache-2.0
// The end of a TCP connection whose other side has gone without a word.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>

namespace stillboot::tls {

/// After how long without a sign of the other side a connection ends (ETIMEDOUT).
inline constexpr std::chrono::seconds silence_deadline{60};

/// Has the kernel ask a silent other side whether it is there, and end the connection where nothing comes back
/// (tcp(7): TCP_KEEPIDLE, TCP_USER_TIMEOUT): a machine that has let go of its network card, or has lost its power,
/// closes nothing.
inline void end_with_the_other_side(boost::asio::ip::tcp::socket& socket) {
    using boost::asio::detail::socket_option::integer;
    constexpr int seconds = silence_deadline.count();
    boost::system::error_code ignored;
    socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
    socket.set_option(integer<IPPROTO_TCP, TCP_KEEPIDLE>(seconds / 4), ignored);
    socket.set_option(integer<IPPROTO_TCP, TCP_KEEPINTVL>(seconds / 4), ignored);
    socket.set_option(integer<IPPROTO_TCP, TCP_KEEPCNT>(3), ignored);
    // Of what was sent and not acknowledged, for which the kernel asks nothing.
    socket.set_option(integer<IPPROTO_TCP, TCP_USER_TIMEOUT>(seconds * 1000), ignored);
}

}  // namespace stillboot::tls
