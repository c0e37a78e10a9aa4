// SPDX-License-Identifier: Apache-2.0
// The composition root: which parts the daemon is made of, how they start and how they end.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "config/base/root.hpp"
#include "config/model/settings.hpp"
#include "daemon/discover/discovery.hpp"
#include "daemon/events/reporter.hpp"
#include "daemon/gate/gate.hpp"
#include "daemon/handover/script.hpp"
#include "daemon/handover/side_hooks.hpp"
#include "daemon/handover/thread_booter.hpp"
#include "daemon/main/core.hpp"
#include "daemon/main/options.hpp"
#include "daemon/main/probe_scanner.hpp"

namespace stillboot {

/// One run of stillbootd. Thread: the main thread; a hand-over has one of its own.
class Daemon {
public:
    Daemon(Options options, Root root);
    ~Daemon();

    /// Runs until SIGTERM or SIGINT, or a fault. The value is the exit status.
    int run();

private:
    Result<void> start();
    Result<void> make_socket();
    void listen_for_tls(const std::vector<std::string>& addresses);
    void load();
    void build();
    void on_settled(bool complete);
    void settle_later(bool complete);
    void on_past(handover::Past past);
    void tell_of(const Result<std::optional<handover::Recovery>>& recovery);
    handover::ScanControl scan_control();
    void open_reporter();
    void tell_jump(const handover::Request& request);
    boost::asio::awaitable<void> leave_boot_callers(std::shared_ptr<std::promise<void>> heard);
    [[nodiscard]] bool is_quiet() const;
    /// The nodes under which a probe or fetch is stuck in the kernel now.
    [[nodiscard]] std::vector<std::string> stuck_nodes() const;
    boost::asio::awaitable<void> end_hooks();
    boost::asio::awaitable<void> end_scans(std::function<void(std::vector<std::string>)> done);
    boost::asio::awaitable<void> begin();
    boost::asio::awaitable<void> wait_for_signal();
    boost::asio::awaitable<void> stop();
    void on_fault(const std::string& name, const std::string& what);

    Options options_;
    Root root_;
    boost::asio::io_context context_{1};
    Log log_;
    StageTimes times_;
    Spawner spawner_;
    boost::asio::signal_set signals_;
    boost::asio::steady_timer again_;  ///< until the store is looked for again
    std::unique_ptr<SettingsKeeper> settings_;
    std::unique_ptr<registry::Registry> registry_;
    std::unique_ptr<policy::Policy> policy_;
    std::unique_ptr<discover::UdevSource> source_;
    std::unique_ptr<ProbeScanner> scanner_;
    std::unique_ptr<discover::Discovery> discovery_;
    std::unique_ptr<events::Reporter> reporter_;  // the booter's thread tells it of a jump
    std::unique_ptr<handover::ThreadBooter> booter_;
    std::unique_ptr<handover::SideHooks> side_hooks_;
    std::unique_ptr<handover::ScriptRunner> script_;
    std::unique_ptr<Core> core_;
    std::unique_ptr<server::Server> server_;
    std::unique_ptr<gate::Gate> gate_;
    int status_ = 0;
    bool stopping_ = false;
};

}  // namespace stillboot
