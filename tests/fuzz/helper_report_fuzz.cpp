// SPDX-License-Identifier: Apache-2.0
// Any bytes as what a helper sends: a packet, and behind a NUL the memfd that comes with it. A probe that was
// taken over may send anything.
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <unordered_set>

#include "config/base/memfd.hpp"
#include "daemon/probe/scan_reader.hpp"
#include "daemon/probe/wire.hpp"

namespace {

using namespace stillboot;
using namespace stillboot::probe;

void require(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

/// The packet as it arrives over a socket.
Packet received(std::string_view text, const std::string_view* attached) {
    int ends[2] = {-1, -1};
    require(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    const UniqueFd sender(ends[0]);
    const UniqueFd receiver(ends[1]);
    UniqueFd file;
    if (attached != nullptr) {
        file = sealed_memfd("attached", std::as_bytes(std::span(*attached))).value();
    }
    const bool sent = send_packet(sender.get(), text, file.get()).has_value();
    auto packet = sent ? receive_packet(receiver.get()) : Result<std::optional<Packet>>(std::optional<Packet>());
    return packet && *packet ? std::move(**packet) : Packet();
}

/// What was read can be written and read again, and is the same.
void read_as_report(Packet packet) {
    auto report = report_of(std::move(packet));
    if (!report) {
        require(!report.error().sentence().empty());
        return;
    }
    if (auto* answer = std::get_if<Answer>(&*report)) {
        auto written = to_packet(*answer);
        require(written.has_value());
        const std::string text = written->text;
        const auto again = answer_of(std::move(*written));
        require(again && again->names == answer->names && to_packet(*again)->text == text);
        return;
    }
    Packet written;
    written.text = to_text(*report);
    const std::string text = written.text;
    const auto again = report_of(std::move(written));
    require(again && to_text(*again) == text);
}

void read_as_order(std::string_view text) {
    if (const auto order = order_of(text)) {
        const std::string written = to_text(*order);
        const auto again = order_of(written);
        require(again && to_text(*again) == written);
    }
}

void read_as_result(const Result<ScanResult>& result) {
    const auto* options = result ? std::get_if<std::vector<BootOption>>(&result->finding) : nullptr;
    std::unordered_set<std::string_view> ids;
    for (std::size_t i = 0; options != nullptr && i < options->size(); ++i) {
        const BootOption& option = (*options)[i];
        require(option.device_id == "d" && option.id.starts_with("d/") && ids.insert(option.id).second);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string all(data, data + size);
    const std::size_t end = all.find('\0');
    const std::string_view text = std::string_view(all).substr(0, end);
    const std::string_view behind = std::string_view(all).substr(end == all.npos ? size : end + 1);
    Packet packet = received(text, end == all.npos ? nullptr : &behind);
    DeviceId device;
    device.id = "d";
    if (packet.fd) {
        read_as_result(read_scan_result(packet.fd.get(), device));
    }
    read_as_report(std::move(packet));
    read_as_order(text);
    read_as_result(scan_result_of(text, device));
    return 0;
}
