// SPDX-License-Identifier: Apache-2.0
// Running stillboot-probe and stillboot-fetch on the event loop: one process a scan, ended when it overruns.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/base/result.hpp"
#include "config/model/device.hpp"
#include "config/model/scan_result.hpp"
#include "daemon/probe/job.hpp"

namespace stillboot::probe {

struct RunnerSettings {
    std::chrono::milliseconds scan_deadline{60'000};  ///< from the start of the program to its result
    std::chrono::milliseconds ask_deadline{20'000};   ///< for one question about a device
    std::chrono::milliseconds end_deadline{3'000};    ///< between SIGKILL and "stuck in the kernel"; 0: no wait
};

/// A helper that SIGKILL did not end. It is left alone; its device must be kept at a hand-over.
struct Stuck {
    Stuck(int process, std::string where) : pid(process), node(std::move(where)) {}
    int pid = -1;
    std::string node;
};

/// Runs probes. How many run at a time is the caller's affair.
/// Thread: all calls on the executor's one thread. Lifetime: coroutines of this object must have ended before it
/// goes (stop() makes them end soon).
class Runner {
public:
    using QuestionHandler = probe::QuestionHandler;

    Runner(boost::asio::any_io_executor executor, RunnerSettings settings);
    ~Runner();
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    /// Has `count` probes wait for the orders of the next scans, so that a program's start is not in their way;
    /// ends those that are too many. One that a scan has taken is not replaced.
    void prepare(unsigned count);

    /// Scans one device, and reads the files that are named on it as well: node must be set; id, uuid, … name it
    /// to the parsers. Cancelling the coroutine ends the process. @error probe.helper_missing,
    /// probe.helper_crashed (signal by name), probe.helper_timed_out, probe.helper_stuck, probe.still_stuck
    /// (nothing was started), probe.helper_broke_protocol, probe.cancelled, and what the probe itself reports
    /// (probe.device_unreadable, probe.mount_failed, …)
    boost::asio::awaitable<Result<ScanResult>> scan(DeviceId device, std::vector<std::string> named,
                                                    QuestionHandler handler);

    /// Answers a read, kind, size or list question by running stillboot-fetch on that device's node; the caller
    /// has resolved question.device. Failures of the helper come as Answer::error.
    boost::asio::awaitable<Answer> ask(std::string node, Question question);

    /// For the scans that begin from now on.
    void set_scan_deadline(std::chrono::milliseconds deadline);
    /// False while any helper runs: also one whose result is known, but whose mount is not gone yet.
    [[nodiscard]] bool is_idle() const;
    /// Ends every running helper; their coroutines then return probe.cancelled, as does every later call.
    void stop();
    /// Helpers that are still stuck in the kernel now.
    [[nodiscard]] std::vector<Stuck> stuck() const;
    /// Sets who is told when a stuck helper has ended after all, so that its node can be looked at again.
    void on_freed(std::function<void(const std::string& node)> tell);

    class Impl;

private:
    std::shared_ptr<Impl> impl_;
};

}  // namespace stillboot::probe
