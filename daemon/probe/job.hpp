// SPDX-License-Identifier: Apache-2.0
// One helper on the event loop: its socket, its end, its deadline, and what is said to it and by it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "config/base/result.hpp"
#include "daemon/probe/helper.hpp"
#include "daemon/probe/question.hpp"

namespace stillboot::probe {

/// Answers a scan's question about other devices. Must return; the scan's deadline runs on.
using QuestionHandler = std::function<boost::asio::awaitable<Answer>(Question)>;

/// One running helper. Shared with the handlers of its timer, which may fire when the coroutine has gone.
struct Job {
    Job(const boost::asio::any_io_executor& executor, Helper started, std::string_view name, std::string on)
        : helper(std::move(started)),
          program(name),
          node(std::move(on)),
          socket(executor, helper.socket.get()),
          exit(executor, helper.pidfd.get()),
          timer(executor) {}
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    ~Job() {
        socket.release();  // the descriptors are the Helper's
        exit.release();
    }

    void end_now() {
        kill_helper(helper);
        socket.cancel();
    }

    Helper helper;
    std::string program;
    std::string node;
    boost::asio::posix::stream_descriptor socket;
    boost::asio::posix::stream_descriptor exit;
    boost::asio::steady_timer timer;
    bool timed_out = false;
    bool cancelled = false;
    bool closed = false;  ///< it has closed its socket, hence is ending
};

using JobPtr = std::shared_ptr<Job>;

/// Ends the helper after that time; what waits for it then fails.
void set_timer(const JobPtr& job, std::chrono::milliseconds after);

/// Talks with a probe until its result comes, a sealed descriptor. @error probe.cancelled where the wait was
/// cancelled, by the timer or from outside; probe.helper_broke_protocol; and what the probe itself reports
boost::asio::awaitable<Result<UniqueFd>> scan_result(JobPtr job, QuestionHandler handler);

/// What a fetch helper answers. @error as scan_result
boost::asio::awaitable<Result<Answer>> fetch_answer(JobPtr job);

/// Waits until the process has ended, unreaped; false after the limit. 0: no wait.
boost::asio::awaitable<bool> wait_for_end(JobPtr job, std::chrono::milliseconds limit);

}  // namespace stillboot::probe
