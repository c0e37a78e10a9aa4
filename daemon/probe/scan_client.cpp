// SPDX-License-Identifier: Apache-2.0
// Driving stillboot-probe.
#include "daemon/probe/scan_client.hpp"

#include "daemon/probe/scan_reader.hpp"
#include "daemon/probe/session.hpp"

namespace stillboot::probe {
namespace {

Error broken(std::string_view what) {
    return Error("probe.helper_broke_protocol", {{"what", what}});
}

Answer answer_for(const Answerer& answerer, const Question& question) {
    if (answerer) {
        return answerer(question);
    }
    return Answer(Message("config.device_missing",
                          {{"kind", to_word(question.device.kind)}, {"value", question.device.value}}));
}

Result<UniqueFd> converse(Session& session, const Answerer& answerer, Session::Instant until,
                          std::chrono::milliseconds limit) {
    for (std::size_t asked = 0; asked <= max_questions; ++asked) {
        auto packet = session.receive(until, limit);
        if (!packet) {
            return packet.error();
        }
        UniqueFd attached = std::move(packet->fd);
        auto report = report_of(std::move(*packet));
        if (!report) {
            return report.error();
        }
        if (std::holds_alternative<ScanDone>(*report)) {
            return attached;
        }
        if (auto* failed = std::get_if<Failed>(&*report)) {
            return Error(std::move(failed->why));
        }
        const auto* question = std::get_if<Question>(&*report);
        if (question == nullptr) {
            return broken("unexpected report");
        }
        auto reply = to_packet(answer_for(answerer, *question));
        if (!reply) {
            return reply.error();
        }
        (void)send_packet(session.socket(), reply->text, reply->fd.get());
    }
    return broken("too many questions");
}

}  // namespace

Result<ScanResult> scan(const DeviceId& device, const Answerer& answerer, std::chrono::milliseconds deadline,
                        std::stop_token stop) {
    Order order;
    order.device = device;
    auto session = Session::start(probe_program, order, device.node, std::move(stop));
    if (!session) {
        return session.error();
    }
    auto result = converse(*session, answerer, std::chrono::steady_clock::now() + deadline, deadline);
    if (!result) {
        return session->end_with(result.error());
    }
    (void)session->end();
    return read_scan_result(result->get(), device);
}

}  // namespace stillboot::probe
