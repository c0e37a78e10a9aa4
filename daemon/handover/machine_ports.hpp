// SPDX-License-Identifier: Apache-2.0
// The ports of production that a hand-over on this machine acts through.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/base/process.hpp"
#include "config/model/settings.hpp"
#include "daemon/handover/entry_counter.hpp"
#include "daemon/platform/platform.hpp"
#include "kexec/handover/plan.hpp"
#include "kexec/handover/ports.hpp"
#include "kexec/handover/quiescer.hpp"
#include "kexec/handover/system_restarter.hpp"
#include "kexec/handover/system_watchdog.hpp"
#include "quiesce/ports.hpp"

namespace stillboot::handover {

/// Images by stillboot-fetch.
class ProgramFetcher final : public Fetcher {
public:
    Result<UniqueFd> fetch(const ImageSource& source, std::uint64_t max_bytes, const Progress& progress,
                           std::stop_token stop) override;
};

/// The daemon has stopped its scans before a hand-over begins, and opens no volume, so that nothing is left to
/// take down later.
class StoppedScans final : public Surroundings {
public:
    /// The read-only views of scans that still run while a hand-over is only planned end before a real one.
    std::vector<Message> beyond_us(const std::vector<Message>& refusals) override;
    std::vector<Volume> volumes() override { return {}; }
    Result<void> take_down() override {
        before_();
        return {};
    }
    std::vector<Message> bring_back(const std::vector<Volume>&) override { return {}; }

    explicit StoppedScans(std::function<void()> before_take_down) : before_(std::move(before_take_down)) {}

private:
    std::function<void()> before_;
};

/// What the machine's settings ask of a hand-over.
[[nodiscard]] Options handover_options(const Settings& settings);

/// The state store of the machine, or null where there is none.
[[nodiscard]] std::unique_ptr<quiesce::StateStore> open_store(const Root& root, const Settings& settings);

/// Why there is none.
[[nodiscard]] Message why_no_store(const Root& root, const Settings& settings);

/// The one on a device, which may be some seconds late. Blocking: 10 s at most.
[[nodiscard]] std::shared_ptr<quiesce::StateStore> wait_for_store(const Root& root, const Settings& settings);

/// What the store knows goes into the policy: the drivers to leave alone, and the device that goes last.
/// @error those of read_state(); the policy is as it was
Result<void> add_memory(quiesce::Policy& policy, quiesce::StateStore& store);

/// What the firmware of this machine is asked for.
class PlatformEntry final : public EntryOnce {
public:
    explicit PlatformEntry(const Root& root) : platform_(platform::platform_of(root)) {}
    Result<void> set(const std::optional<std::string>& entry) override { return platform_->set_entry_once(entry); }

private:
    std::unique_ptr<platform::Platform> platform_;
};

/// For what nobody watches: a plan, an undo.
class Unobserved final : public Observer {
public:
    void on_event(const Event&) override {}
    void on_line(const Message&) override {}
};

/// Owns what `ports` refers to. Lifetime: the root and the observer outlive it.
class MachinePorts {
public:
    /// @param settings of the machine: its state store, and how it is restarted
    /// @param before_take_down  called at the last moment at which everything is still there
    MachinePorts(
        const Root& root, quiesce::Policy policy, const Settings& settings, Observer& observer,
        std::function<void()> before_take_down = [] {});
    MachinePorts(const MachinePorts&) = delete;
    MachinePorts& operator=(const MachinePorts&) = delete;
    [[nodiscard]] const Ports& ports() const { return ports_; }
    /// Why there is no state store although one was found. Empty where all is well.
    [[nodiscard]] const std::optional<Error>& store_failure() const { return store_failure_; }

private:
    quiesce::Policy with_memory(quiesce::Policy policy);

    std::optional<Error> store_failure_;
    std::unique_ptr<quiesce::StateStore> store_;
    quiesce::SystemPorts system_;
    RoomQuiescer quiescer_;
    SystemProcessRunner runner_;
    SystemRestarter restarter_;
    SystemWatchdog watchdog_;
    EntryCounter counter_;
    SystemHooks hooks_;
    kexec::SystemLoader loader_;
    ProgramFetcher fetcher_;
    StoppedScans surroundings_;
    quiesce::RunStateStore run_store_;
    SystemClock clock_;
    PlatformEntry entry_once_;
    Ports ports_;
};

}  // namespace stillboot::handover
