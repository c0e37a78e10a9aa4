// SPDX-License-Identifier: Apache-2.0
// Driving stillboot-fetch.
#include "daemon/probe/fetch_client.hpp"

#include <algorithm>

#include "daemon/probe/sealed.hpp"
#include "daemon/probe/session.hpp"

namespace stillboot::probe {
namespace {

using SteadyClock = std::chrono::steady_clock;

Order order_of_fetch(const FetchOrder& fetch_order) {
    Order order;
    order.mode = Order::Mode::read;
    order.device.node = fetch_order.node;
    order.path = fetch_order.path;
    order.max_bytes = fetch_order.max_bytes;
    return order;
}

/// Until when to wait: the whole has its deadline, and so has each bit of progress.
class Patience {
public:
    explicit Patience(const FetchOrder& order) : order_(order) {}

    [[nodiscard]] SteadyClock::time_point until() const { return std::min(whole(), stall()); }
    [[nodiscard]] std::chrono::milliseconds limit() const {
        return stall() < whole() ? order_.stall_limit : order_.deadline;
    }
    void heard(const Progress& progress) {
        if (progress.done > done_) {  // repeating itself is no progress
            last_heard_ = SteadyClock::now();
            done_ = progress.done;
        }
    }

private:
    [[nodiscard]] SteadyClock::time_point whole() const { return started_ + order_.deadline; }
    [[nodiscard]] SteadyClock::time_point stall() const { return last_heard_ + order_.stall_limit; }

    const FetchOrder& order_;
    SteadyClock::time_point started_ = SteadyClock::now();
    SteadyClock::time_point last_heard_ = started_;
    std::uint64_t done_ = 0;
};

Result<Answer> await_answer(Session& session, const FetchOrder& order, const FetchProgress& progress) {
    Patience patience(order);
    for (;;) {
        auto packet = session.receive(patience.until(), patience.limit());
        if (!packet) {
            return packet.error();
        }
        auto report = report_of(std::move(*packet));
        if (!report) {
            return session.end_with(report.error());
        }
        if (auto* answer = std::get_if<Answer>(&*report)) {
            return std::move(*answer);
        }
        const auto* heard = std::get_if<Progress>(&*report);
        if (heard == nullptr) {
            return session.end_with(Error("probe.helper_broke_protocol", {{"what", "unexpected report"}}));
        }
        patience.heard(*heard);
        if (progress) {
            progress(heard->done, heard->total);
        }
    }
}

}  // namespace

Result<Fetched> fetch(const FetchOrder& order, const FetchProgress& progress, std::stop_token stop) {
    if (!order.url.empty()) {
        return Error("probe.url_not_in_build", {{"url", order.url}});
    }
    auto session = Session::start(fetch_program, order_of_fetch(order),
                                  order.node.empty() ? order.path : order.node, std::move(stop));
    if (!session) {
        return session.error();
    }
    auto answer = await_answer(*session, order, progress);
    if (!answer) {
        return answer.error();
    }
    (void)session->end();  // the file is there; a process that is stuck now changes nothing about it
    if (answer->error) {
        return Error(std::move(*answer->error));
    }
    auto size = check_sealed(answer->content.get(), order.max_bytes, order.path);
    if (!size) {
        return size.error();
    }
    Fetched fetched;
    fetched.image = std::move(answer->content);
    fetched.size_bytes = *size;
    return fetched;
}

}  // namespace stillboot::probe
