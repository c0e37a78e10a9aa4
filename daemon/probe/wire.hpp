// SPDX-License-Identifier: Apache-2.0
// The messages between a helper and its parent: one JSON object a packet, at most one descriptor with it.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/base/result.hpp"
#include "config/base/unique_fd.hpp"
#include "config/model/device.hpp"
#include "daemon/probe/question.hpp"

namespace stillboot::probe {

/// The longest packet: two paths and some words. What may be longer travels in a memfd.
inline constexpr std::size_t max_packet_bytes = std::size_t{64} * 1024;

struct Packet {
    std::string text;
    UniqueFd fd;  ///< what came with it, or none
};

/// Sends one packet; fd -1 for none. @error probe.socket_failed, with EAGAIN where a non-blocking peer is full
[[nodiscard]] Result<void> send_packet(int socket, std::string_view text, int fd = -1);
/// Receives one packet. Empty where the peer has gone. @error probe.socket_failed (EAGAIN: nothing there yet),
/// probe.helper_broke_protocol for a packet too long or with more than one descriptor
[[nodiscard]] Result<std::optional<Packet>> receive_packet(int socket);

/// What the parent sends first.
struct Order {
    enum class Mode { scan, read, kind, size, list };
    Mode mode = Mode::scan;
    DeviceId device;  ///< node empty: a local file
    std::string path;
    std::uint64_t max_bytes = 0;
    std::vector<std::string> named;  ///< scan: files to read beside those in the usual places
};

/// What a helper sends.
struct Progress {
    std::uint64_t done = 0;
    std::uint64_t total = 0;
};
/// The scan's result stands in the descriptor as JSON.
struct ScanDone {};
/// The helper could not do it.
struct Failed {
    Message why;
};
using Report = std::variant<Question, Progress, ScanDone, Answer, Failed>;

[[nodiscard]] std::string to_text(const Order& order);
[[nodiscard]] std::string to_text(const Report& report);
/// Answer::content is not in the text: it goes as the packet's descriptor. So does the list of names, as JSON.
[[nodiscard]] Result<Packet> to_packet(const Answer& answer);

/// @error probe.helper_broke_protocol: anything but what the other side may send. Nothing in it is trusted.
[[nodiscard]] Result<Order> order_of(std::string_view text);
[[nodiscard]] Result<Report> report_of(Packet packet);
[[nodiscard]] Result<Answer> answer_of(Packet packet);

}  // namespace stillboot::probe
