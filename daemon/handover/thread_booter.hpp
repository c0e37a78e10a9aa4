// SPDX-License-Identifier: Apache-2.0
// The hand-over on a thread of its own, with the ports of production.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/base/root.hpp"
#include "config/model/settings.hpp"
#include "daemon/handover/booter.hpp"
#include "kexec/handover/executor.hpp"

namespace stillboot::handover {

/// How scans are stopped for a hand-over and started again after one that failed. Called on the loop.
struct ScanControl {
    /// Stops all scans; `done` is called once none runs, with the nodes under which one is stuck in the kernel.
    std::function<void(std::function<void(std::vector<std::string> stuck_nodes)> done)> stop;
    std::function<void()> start;
    /// The nodes under which a scan is stuck in the kernel now, for a hand-over that is only planned.
    std::function<std::vector<std::string>()> stuck_nodes;
    /// The last moment at which everything is still there. Called on the hand-over's thread, which waits for it.
    std::function<void(const Request&)> before_take_down = [](const Request&) {};
};

/// Runs one hand-over at a time; a second one fails with handover.busy. What only looks or keeps has its turn one
/// after the other. Thread: called on the loop; what runs on its own thread touches nothing of the caller's, and
/// its events are posted to the loop. Lifetime: the root outlives it, and so does the loop.
class ThreadBooter final : public Booter {
public:
    ThreadBooter(boost::asio::any_io_executor loop, const Root& root, Settings settings, ScanControl scans);
    /// Cancels a hand-over that is under way and waits until it is undone.
    ~ThreadBooter() override;

    void start(Request request, BootEvents events) override;
    void cancel() override;
    void plan(Request request, std::function<void(Result<std::vector<std::string>>)> done) override;
    void quiesce_plan(std::function<void(const Result<protocol::QuiescePlan>&)> done) override;
    void choose(ChosenFor when, std::optional<Choice> what,
                std::function<void(const Result<Choices>&)> done) override;
    void keep_setting(const std::string& key, std::optional<std::string> value,
                      std::function<void(const Result<std::vector<SettingText>>&)> done) override;
    [[nodiscard]] bool busy() const override;
    /// For hand-overs and plans that begin after this.
    void set_settings(const Settings& settings);

    /// Reads the state store and settles what it holds of an earlier kernel, and what the firmware is asked for; a
    /// hand-over that is asked for meanwhile waits for it. `done` is called on the loop; with nothing, and at
    /// once, where it is not done: during a hand-over, before one that comes while this waits, and behind too
    /// many.
    void look_back(std::function<void(const std::optional<Past>&)> done);

    /// Has the firmware open its setup at the next start. `done` is called on the loop.
    /// @error handover.busy, and those of platform::Platform
    void ask_for_setup(std::function<void(const Result<void>&)> done);

    /// True where a record lies there of a hand-over whose daemon was ended in the middle (or of an earlier boot).
    [[nodiscard]] bool has_left_over() const;
    /// Puts back what that hand-over left behind: until devices are back or their deadlines are over. Before the
    /// first start() or plan(). `done` is called on the loop. @error as handover::recover
    void recover(std::function<void(const Result<std::optional<Recovery>>&)> done);

    class Impl;

private:
    std::shared_ptr<Impl> impl_;
};

}  // namespace stillboot::handover
