// SPDX-License-Identifier: Apache-2.0
// Helpers on the event loop.
#include "daemon/probe/runner.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>

#include "daemon/probe/helper.hpp"
#include "daemon/probe/scan_reader.hpp"
#include "daemon/probe/sealed.hpp"
#include "daemon/probe/wire.hpp"

namespace stillboot::probe {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using ErrorCode = boost::system::error_code;

constexpr std::uint64_t max_read_bytes = std::uint64_t{64} * 1024 * 1024;

Result<Order> order_for(const std::string& node, const Question& question) {
    Order order;
    switch (question.kind) {
        case Question::Kind::read: order.mode = Order::Mode::read; break;
        case Question::Kind::kind: order.mode = Order::Mode::kind; break;
        case Question::Kind::size: order.mode = Order::Mode::size; break;
        case Question::Kind::list: order.mode = Order::Mode::list; break;
        case Question::Kind::present:
        case Question::Kind::find:
            return Error("probe.helper_broke_protocol", {{"what", "a question that no device answers"}});
    }
    order.device.node = node;
    order.path = question.path;
    order.max_bytes = std::min(question.max_bytes, max_read_bytes);
    return order;
}

// A file's bytes are passed on only when they cannot change any more.
Answer checked(Answer answer, Order::Mode mode, std::uint64_t max_bytes) {
    if (mode != Order::Mode::read || answer.error) {
        answer.content.reset();
        return answer;
    }
    auto size = check_sealed(answer.content.get(), max_bytes, "answer");
    return size ? std::move(answer) : Answer(size.error());
}

}  // namespace

class Runner::Impl : public std::enable_shared_from_this<Runner::Impl> {
public:
    Impl(asio::any_io_executor executor, RunnerSettings settings)
        : executor_(std::move(executor)), settings_(settings) {}

    awaitable<Result<ScanResult>> scan(DeviceId device, std::vector<std::string> named, QuestionHandler handler);
    awaitable<Answer> ask(std::string node, Question question);
    void prepare(unsigned count);
    void set_scan_deadline(std::chrono::milliseconds deadline) { settings_.scan_deadline = deadline; }
    void stop();
    [[nodiscard]] bool is_idle() const { return running_.empty(); }
    [[nodiscard]] std::vector<Stuck> stuck() const;
    void on_freed(std::function<void(const std::string&)> tell) { on_freed_ = std::move(tell); }

private:
    [[nodiscard]] std::optional<Error> why_not_now(const std::string& node) const;
    Result<Helper> take_helper(std::string_view program, const std::string& node);
    Result<JobPtr> start(std::string_view program, const Order& order, std::chrono::milliseconds deadline);
    awaitable<Error> finish(JobPtr job, Error reason, std::chrono::milliseconds deadline);
    static awaitable<void> see_off(std::shared_ptr<Impl> self, JobPtr job);
    void leave_stuck(JobPtr job);

    asio::any_io_executor executor_;
    RunnerSettings settings_;
    std::vector<JobPtr> running_;
    std::vector<JobPtr> stuck_;
    std::vector<Helper> prepared_;  ///< probes that wait for an order
    std::function<void(const std::string&)> on_freed_;
    bool stopped_ = false;
};

void Runner::Impl::prepare(unsigned count) {
    while (prepared_.size() > count) {
        kill_helper(prepared_.back());
        ::waitid(P_PIDFD, static_cast<id_t>(prepared_.back().pidfd.get()), nullptr, WEXITED);
        prepared_.pop_back();
    }
    while (prepared_.size() < count) {
        auto helper = start_helper(probe_program, "");
        if (!helper) {
            return;  // the first scan says why
        }
        prepared_.push_back(std::move(*helper));
    }
}

Result<Helper> Runner::Impl::take_helper(std::string_view program, const std::string& node) {
    if (program != probe_program || prepared_.empty()) {
        return start_helper(program, node);
    }
    Helper helper = std::move(prepared_.back());
    prepared_.pop_back();
    return helper;
}

// What the kernel did not let go of once would be held again: one more process each time.
std::optional<Error> Runner::Impl::why_not_now(const std::string& node) const {
    if (stopped_) {
        return Error("probe.cancelled", {{"device", node}});
    }
    const auto held =
        std::find_if(stuck_.begin(), stuck_.end(), [&](const JobPtr& job) { return job->node == node; });
    if (held == stuck_.end()) {
        return std::nullopt;
    }
    return Error("probe.still_stuck",
                 {{"program", (*held)->program}, {"device", node}, {"pid", (*held)->helper.pid}});
}

Result<JobPtr> Runner::Impl::start(std::string_view program, const Order& order,
                                   std::chrono::milliseconds deadline) {
    if (auto reason = why_not_now(order.device.node)) {
        return std::move(*reason);
    }
    auto helper = take_helper(program, order.device.node);
    if (!helper) {
        return helper.error();
    }
    auto job = std::make_shared<Job>(executor_, std::move(*helper), program, order.device.node);
    // The first packet: a new socket's buffer has room for it. A helper that has gone already is found later.
    (void)send_packet(job->socket.native_handle(), to_text(order));
    set_timer(job, deadline);
    running_.push_back(job);
    return job;
}

// Ends and reaps the process; says why there is no result where `reason` (empty: there is one) is not the cause.
awaitable<Error> Runner::Impl::finish(JobPtr job, Error reason, std::chrono::milliseconds deadline) {
    bool ended = false;
    if (job->closed) {  // it ends by itself: by which signal is worth knowing
        ended = co_await wait_for_end(job, settings_.end_deadline);
    }
    const bool by_itself = ended;
    if (!ended) {
        kill_helper(job->helper);
        ended = co_await wait_for_end(job, settings_.end_deadline);
    }
    std::erase(running_, job);
    if (!ended) {
        leave_stuck(job);
        co_return Error("probe.helper_stuck",
                        {{"program", job->program}, {"device", job->node}, {"pid", job->helper.pid}});
    }
    auto crash = reap_helper(job->helper, job->program, job->node);
    if (job->timed_out) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(deadline).count();
        co_return Error("probe.helper_timed_out",
                        {{"program", job->program}, {"device", job->node}, {"seconds", std::int64_t{seconds}}});
    }
    if (by_itself && crash) {
        co_return *crash;
    }
    co_return reason;
}

// What it has said is complete: only its own end, and its mount's, is still to come.
awaitable<void> Runner::Impl::see_off(std::shared_ptr<Impl> self, JobPtr job) {
    (void)co_await self->finish(std::move(job), Error(), self->settings_.end_deadline);
}

void Runner::Impl::leave_stuck(JobPtr job) {
    stuck_.push_back(job);
    job->exit.async_wait(asio::posix::stream_descriptor::wait_read,
                         [weak = weak_from_this(), job](ErrorCode failed) {
                             const auto self = weak.lock();
                             if (failed || !self) {
                                 return;
                             }
                             (void)reap_helper(job->helper, job->program, job->node);
                             std::erase(self->stuck_, job);
                             if (self->on_freed_) {
                                 self->on_freed_(job->node);
                             }
                         });
}

awaitable<Result<ScanResult>> Runner::Impl::scan(DeviceId device, std::vector<std::string> named,
                                                 QuestionHandler handler) {
    const auto self = shared_from_this();
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    Order order;
    order.device = device;
    order.named = std::move(named);
    const auto deadline = settings_.scan_deadline;
    auto job = start(probe_program, order, deadline);
    if (!job) {
        co_await asio::this_coro::throw_if_cancelled(throws);
        co_return job.error();
    }
    auto result = co_await scan_result(*job, std::move(handler));
    if (result) {
        asio::co_spawn(executor_, see_off(self, *job), asio::detached);
        co_await asio::this_coro::throw_if_cancelled(throws);
        co_return read_scan_result(result->get(), device);
    }
    const Error reason = co_await finish(*job, result.error(), deadline);
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return reason;
}

awaitable<Answer> Runner::Impl::ask(std::string node, Question question) {
    const auto self = shared_from_this();
    const auto order = order_for(node, question);
    if (!order) {
        co_return Answer(order.error());
    }
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto job = start(fetch_program, *order, settings_.ask_deadline);
    if (!job) {
        co_await asio::this_coro::throw_if_cancelled(throws);
        co_return Answer(job.error());
    }
    auto answer = co_await fetch_answer(*job);
    if (answer) {
        asio::co_spawn(executor_, see_off(self, *job), asio::detached);
        co_await asio::this_coro::throw_if_cancelled(throws);
        co_return checked(std::move(*answer), order->mode, order->max_bytes);
    }
    const Error reason = co_await finish(*job, answer.error(), settings_.ask_deadline);
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return Answer(reason);
}

void Runner::Impl::stop() {
    stopped_ = true;
    prepare(0);
    for (const auto& job : running_) {
        job->cancelled = true;
        job->end_now();
    }
    for (const auto& job : stuck_) {
        job->exit.cancel();
    }
}

std::vector<Stuck> Runner::Impl::stuck() const {
    std::vector<Stuck> out;
    for (const auto& job : stuck_) {
        out.emplace_back(job->helper.pid, job->node);
    }
    return out;
}

Runner::Runner(asio::any_io_executor executor, RunnerSettings settings)
    : impl_(std::make_shared<Impl>(std::move(executor), settings)) {}

Runner::~Runner() {
    impl_->stop();
}

awaitable<Result<ScanResult>> Runner::scan(DeviceId device, std::vector<std::string> named,
                                           QuestionHandler handler) {
    return impl_->scan(std::move(device), std::move(named), std::move(handler));
}

awaitable<Answer> Runner::ask(std::string node, Question question) {
    return impl_->ask(std::move(node), std::move(question));
}

void Runner::prepare(unsigned count) {
    impl_->prepare(count);
}

void Runner::set_scan_deadline(std::chrono::milliseconds deadline) {
    impl_->set_scan_deadline(deadline);
}

bool Runner::is_idle() const {
    return impl_->is_idle();
}

void Runner::stop() {
    impl_->stop();
}

std::vector<Stuck> Runner::stuck() const {
    return impl_->stuck();
}

void Runner::on_freed(std::function<void(const std::string& node)> tell) {
    impl_->on_freed(std::move(tell));
}

}  // namespace stillboot::probe
