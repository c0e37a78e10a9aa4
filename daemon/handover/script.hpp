// SPDX-License-Identifier: Apache-2.0
// A file that is run as an unattended session, once, instead of somebody at a console.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "config/base/root.hpp"
#include "daemon/loop/side_thread.hpp"
#include "kexec/handover/ports.hpp"

namespace stillboot::handover {

struct ScriptOrder {
    ImageSource source;  ///< a path of this system where it has no node
    std::string socket;  ///< of the daemon
    std::chrono::milliseconds deadline{600'000};
};

/// Lines go to the log and to log_path, which has the whole of it: as far as their bounds reach.
inline constexpr const char* script_log_path = "/run/stillboot/script.log";
inline constexpr std::size_t max_script_log_bytes = std::size_t{256} * 1024;
inline constexpr std::size_t max_script_log_lines = 500;
inline constexpr std::size_t max_script_bytes = std::size_t{1024} * 1024;

/// Fetches the file where it is on a device, runs it by its "#!" or as a script of /bin/sh, and writes its log.
/// Blocking. Lifetime: the log's file is what an earlier run has left no more.
/// @return why it failed, in words; nothing where it ended with status 0
[[nodiscard]] std::optional<Message> run_script(const Root& root, Fetcher& fetcher, const ScriptOrder& order,
                                                const Hooks::Say& say, std::stop_token stop);

/// The same on a thread of its own. Thread: the loop's alone. Lifetime: the root and the loop outlive it.
class ScriptRunner {
public:
    using Done = std::function<void(const std::optional<Message>& failure)>;

    ScriptRunner(boost::asio::any_io_executor loop, const Root& root, Hooks::Say say);
    /// Kills it where it runs.
    ~ScriptRunner();

    /// Once. `done` is called on the loop.
    void start(ScriptOrder order, Done done);
    /// Kills it where it runs.
    void stop() { stop_.request_stop(); }
    [[nodiscard]] bool busy() const { return thread_.busy(); }

private:
    boost::asio::any_io_executor loop_;
    const Root& root_;
    Hooks::Say say_;
    std::stop_source stop_;
    SideThread thread_;
};

}  // namespace stillboot::handover
