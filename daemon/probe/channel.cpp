// SPDX-License-Identifier: Apache-2.0
// Talking to the parent.
#include "daemon/probe/channel.hpp"

#include <sys/socket.h>

namespace stillboot::probe {

Result<Order> Channel::receive_order() {
    auto packet = receive_packet(socket_);
    if (!packet) {
        return packet.error();
    }
    if (!*packet) {
        return Error::from_errno(ECONNRESET, "probe.socket_failed");
    }
    return order_of((*packet)->text);
}

Answer Channel::ask(const Question& question) {
    if (auto sent = send_packet(socket_, to_text(Report(question))); !sent) {
        return Answer(sent.error());
    }
    auto packet = receive_packet(socket_);
    if (!packet) {
        return Answer(packet.error());
    }
    if (!*packet) {
        return Answer(Message("config.device_missing",
                              {{"kind", to_word(question.device.kind)}, {"value", question.device.value}}));
    }
    auto answer = answer_of(std::move(**packet));
    return answer ? std::move(*answer) : Answer(answer.error());
}

void Channel::progress(std::uint64_t done, std::uint64_t total) const {
    const std::string text = to_text(Report(Progress{done, total}));
    (void)::send(socket_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

Result<void> Channel::finish(const Report& report, int fd) const {
    return send_packet(socket_, to_text(report), fd);
}

Result<void> Channel::finish(const Answer& answer) const {
    auto packet = to_packet(answer);
    if (!packet) {
        return packet.error();
    }
    return send_packet(socket_, packet->text, packet->fd.get());
}

}  // namespace stillboot::probe
