// SPDX-License-Identifier: Apache-2.0
// stillboot-fetch, driven by poll(2).
#include "daemon/probe/fetch_client.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "config/base/process.hpp"
#include "daemon/probe/helper.hpp"
#include "daemon/probe/sealed.hpp"
#include "daemon/probe/wire.hpp"

namespace stillboot::probe {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds end_deadline{3'000};

std::string named(const FetchOrder& order) {
    return order.node.empty() ? order.path : order.node;
}

Error timed_out(const FetchOrder& order) {
    const bool stalled = order.stall_limit < order.deadline;
    const auto limit =
        std::chrono::duration_cast<std::chrono::seconds>(stalled ? order.stall_limit : order.deadline);
    return Error("probe.helper_timed_out",
                 {{"program", fetch_program}, {"device", named(order)}, {"seconds", std::int64_t{limit.count()}}});
}

// Ends what is still running. The error is what the caller should hear instead of its own, if any.
std::optional<Error> end(const Helper& helper, const FetchOrder& order) {
    kill_helper(helper);
    if (wait_for_exit(helper.pidfd.get(), end_deadline)) {
        (void)reap_helper(helper, fetch_program, named(order));
        return std::nullopt;
    }
    return Error("probe.helper_stuck",
                 {{"program", fetch_program}, {"device", named(order)}, {"pid", helper.pid}});
}

class Fetch {
public:
    Fetch(const FetchOrder& order, const FetchProgress& progress, Helper helper, int wake)
        : order_(order), progress_(progress), helper_(std::move(helper)), wake_(wake) {}

    Result<Fetched> run() {
        Order order;
        order.mode = Order::Mode::read;
        order.device.node = order_.node;
        order.path = order_.path;
        order.max_bytes = order_.max_bytes;
        // A new socket has room for it; a helper that has gone already is found by what it did not say.
        (void)send_packet(helper_.socket.get(), to_text(order));
        for (;;) {
            if (auto waited = wait(); !waited) {
                return after_end(waited.error());
            }
            auto packet = receive_packet(helper_.socket.get());
            if (!packet || !*packet) {
                return gone();
            }
            auto report = report_of(std::move(**packet));
            if (!report) {
                return after_end(report.error());
            }
            if (auto* answer = std::get_if<Answer>(&*report)) {
                return take(std::move(*answer));
            }
            if (!heard_progress(*report)) {
                return after_end(Error("probe.helper_broke_protocol", {{"what", "unexpected report"}}));
            }
        }
    }

private:
    // Until the helper has said something. @error probe.cancelled, probe.helper_timed_out
    Result<void> wait() {
        const auto until = std::min(started_ + order_.deadline, last_heard_ + order_.stall_limit);
        for (;;) {
            const auto left = std::chrono::ceil<milliseconds>(until - SteadyClock::now()).count();
            std::array<struct pollfd, 2> waiting = {{{helper_.socket.get(), POLLIN, 0}, {wake_, POLLIN, 0}}};
            const int ready = ::poll(waiting.data(), waiting.size(), static_cast<int>(std::max<long>(left, 0)));
            if (ready < 0 && errno == EINTR) {
                continue;
            }
            if (ready > 0 && waiting[1].revents != 0) {
                return Error("probe.cancelled", {{"device", named(order_)}});
            }
            return ready > 0 ? Result<void>() : Result<void>(timed_out(order_));
        }
    }

    bool heard_progress(const Report& report) {
        const auto* progress = std::get_if<Progress>(&report);
        if (progress == nullptr) {
            return false;
        }
        if (progress->done > done_) {  // repeating itself is no progress
            last_heard_ = SteadyClock::now();
            done_ = progress->done;
        }
        if (progress_) {
            progress_(progress->done, progress->total);
        }
        return true;
    }

    Result<Fetched> take(Answer answer) {
        if (auto stuck = end(helper_, order_); stuck && answer.error) {
            return *stuck;
        }
        if (answer.error) {
            return Error(std::move(*answer.error));
        }
        auto size = check_sealed(answer.content.get(), order_.max_bytes, order_.path);
        if (!size) {
            return size.error();
        }
        Fetched fetched;
        fetched.image = std::move(answer.content);
        fetched.size_bytes = *size;
        return fetched;
    }

    // The socket has closed without an answer: the process's end says why.
    Error gone() {
        if (!wait_for_exit(helper_.pidfd.get(), end_deadline)) {
            return after_end(Error("probe.helper_broke_protocol", {{"what", "closed its socket"}}));
        }
        auto ended = reap_helper(helper_, fetch_program, named(order_));
        return ended ? *ended : Error("probe.helper_broke_protocol", {{"what", "ended without an answer"}});
    }

    Error after_end(const Error& reason) {
        auto stuck = end(helper_, order_);
        return stuck ? *stuck : reason;
    }

    const FetchOrder& order_;
    const FetchProgress& progress_;
    Helper helper_;
    int wake_;
    SteadyClock::time_point started_ = SteadyClock::now();
    SteadyClock::time_point last_heard_ = started_;
    std::uint64_t done_ = 0;
};

}  // namespace

Result<Fetched> fetch(const FetchOrder& order, const FetchProgress& progress, std::stop_token stop) {
    if (!order.url.empty()) {
        return Error("probe.url_not_in_build", {{"url", order.url}});
    }
    const UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake) {
        return Error::from_errno(errno, "base.spawn_failed", {{"program", fetch_program}});
    }
    const std::stop_callback on_stop(stop, [&wake] { (void)::eventfd_write(wake.get(), 1); });
    auto helper = start_helper(fetch_program, named(order));
    if (!helper) {
        return helper.error();
    }
    return Fetch(order, progress, std::move(*helper), wake.get()).run();
}

}  // namespace stillboot::probe
