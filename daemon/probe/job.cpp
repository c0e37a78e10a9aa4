// SPDX-License-Identifier: Apache-2.0
// Conversations with a helper, as coroutines.
#include "daemon/probe/job.hpp"

#include <fcntl.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "daemon/probe/wire.hpp"

namespace stillboot::probe {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using ErrorCode = boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;

// @error probe.cancelled where the wait was cancelled, by the timer, by stop() or by the caller
awaitable<Result<Packet>> next_packet(JobPtr job) {
    for (;;) {
        ErrorCode failed;
        co_await job->socket.async_wait(asio::posix::stream_descriptor::wait_read,
                                        asio::redirect_error(asio::use_awaitable, failed));
        if (failed || job->timed_out || job->cancelled) {
            co_return Error("probe.cancelled", {{"device", job->node}});
        }
        auto packet = receive_packet(job->socket.native_handle());
        if (!packet && packet.error().error_number() == EAGAIN) {
            continue;
        }
        if (!packet) {
            co_return packet.error();
        }
        if (!*packet) {
            job->closed = true;
            co_return Error("probe.helper_broke_protocol", {{"what", "ended without an answer"}});
        }
        co_return std::move(**packet);
    }
}

// What came with a scan's result is handed out by *fd.
awaitable<Result<Report>> next_report(JobPtr job, UniqueFd* fd) {
    auto packet = co_await next_packet(job);
    if (!packet) {
        co_return packet.error();
    }
    UniqueFd attached(packet->fd ? ::fcntl(packet->fd.get(), F_DUPFD_CLOEXEC, 0) : -1);
    auto report = report_of(std::move(*packet));
    if (report && std::holds_alternative<ScanDone>(*report)) {
        *fd = std::move(attached);
    }
    co_return report;
}

}  // namespace

void set_timer(const JobPtr& job, std::chrono::milliseconds after) {
    job->timer.expires_after(after);
    job->timer.async_wait([weak = std::weak_ptr<Job>(job)](ErrorCode cancelled) {
        const JobPtr late = weak.lock();
        if (!cancelled && late) {
            late->timed_out = true;
            late->end_now();
        }
    });
}

// Answers questions until the result comes.
awaitable<Result<UniqueFd>> scan_result(JobPtr job, QuestionHandler handler) {
    for (std::size_t asked = 0; asked <= max_questions; ++asked) {
        UniqueFd result;
        auto report = co_await next_report(job, &result);
        if (!report) {
            co_return report.error();
        }
        if (std::holds_alternative<ScanDone>(*report)) {
            co_return result;
        }
        if (auto* failed = std::get_if<Failed>(&*report)) {
            co_return Error(std::move(failed->why));
        }
        auto* question = std::get_if<Question>(&*report);
        if (question == nullptr) {
            co_return Error("probe.helper_broke_protocol", {{"what", "unexpected report"}});
        }
        auto answering = handler(std::move(*question));
        const Answer answer = co_await std::move(answering);
        auto packet = to_packet(answer);
        if (!packet) {
            co_return packet.error();
        }
        // It waits for this one answer, so there is room; one that does not read is its own loss.
        (void)send_packet(job->socket.native_handle(), packet->text, packet->fd.get());
    }
    co_return Error("probe.helper_broke_protocol", {{"what", "too many questions"}});
}

awaitable<Result<Answer>> fetch_answer(JobPtr job) {
    for (;;) {
        UniqueFd unused;
        auto report = co_await next_report(job, &unused);
        if (!report) {
            co_return report.error();
        }
        if (auto* answer = std::get_if<Answer>(&*report)) {
            co_return std::move(*answer);
        }
        if (!std::holds_alternative<Progress>(*report)) {
            co_return Error("probe.helper_broke_protocol", {{"what", "unexpected report"}});
        }
    }
}

awaitable<bool> wait_for_end(JobPtr job, std::chrono::milliseconds limit) {
    if (limit.count() <= 0) {
        co_return false;
    }
    const auto until = SteadyClock::now() + limit;
    job->timer.expires_at(until);
    job->timer.async_wait([weak = std::weak_ptr<Job>(job)](ErrorCode cancelled) {
        const JobPtr late = weak.lock();
        if (!cancelled && late) {
            late->exit.cancel();
        }
    });
    for (;;) {
        ErrorCode failed;
        co_await job->exit.async_wait(asio::posix::stream_descriptor::wait_read,
                                      asio::redirect_error(asio::use_awaitable, failed));
        // A cancellation that came from outside does not shorten this wait: the process is to be reaped.
        if (!failed || SteadyClock::now() >= until) {
            job->timer.cancel();
            co_return !failed;
        }
    }
}

}  // namespace stillboot::probe
