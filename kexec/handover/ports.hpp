// SPDX-License-Identifier: Apache-2.0
// What the hand-over acts through: everything outside of it, behind small interfaces.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "config/base/clock.hpp"
#include "config/base/root.hpp"
#include "config/base/unique_fd.hpp"
#include "kexec/handover/handover.hpp"
#include "kexec/handover/hooks.hpp"
#include "kexec/handover/record.hpp"
#include "kexec/loader.hpp"
#include "quiesce/executor.hpp"
#include "quiesce/journal.hpp"
#include "quiesce/state_store.hpp"
#include "quiesce/undo.hpp"
#include "quiesce/verify.hpp"

namespace stillboot::handover {

/// Brings one image as a sealed memfd. Blocking.
class Fetcher {
public:
    using Progress = std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

    virtual ~Fetcher() = default;
    /// @param max_bytes more is refused
    /// @error whatever kept it from coming, complete and in time
    virtual Result<UniqueFd> fetch(const ImageSource& source, std::uint64_t max_bytes, const Progress& progress,
                                   std::stop_token stop) = 0;
};

/// Devices to rest and back. Blocking; every act has a deadline of its own.
class Quiescer {
public:
    virtual ~Quiescer() = default;
    virtual Result<quiesce::Plan> plan() = 0;
    /// Carries out what plan() answered last.
    virtual quiesce::Execution execute(const quiesce::Plan& plan, quiesce::RunnerOptions options) = 0;
    virtual Result<quiesce::Verification> verify(const quiesce::Plan& plan) = 0;
    virtual quiesce::UndoReport undo(const quiesce::UndoRecord& record) = 0;
};

/// The programs, mounts and volumes of our own that stand on the devices: probes, fetches, network clients, menus
/// on curses. (udev's queue belongs to the quiescer, whose undo must give it back first.)
class Surroundings {
public:
    virtual ~Surroundings() = default;
    /// Of the users that a quiesce plan names, those that take_down() will not end.
    virtual std::vector<Message> beyond_us(const std::vector<Message>& refusals) = 0;
    /// The volumes that take_down() will close, the topmost first: all that opening them again needs.
    virtual std::vector<Volume> volumes() = 0;
    /// Stops and closes them all. @error any: what was stopped is brought back by bring_back()
    virtual Result<void> take_down() = 0;
    /// Opens the volumes again, the last of them first, and starts what take_down() stopped, also after it failed
    /// half-way: what is still there stays. @return what did not come back
    virtual std::vector<Message> bring_back(const std::vector<Volume>& volumes) = 0;
};

/// Restarts the machine where kexec and a plain restart would hang on a device's lock.
class Restarter {
public:
    virtual ~Restarter() = default;
    /// Does not return where it succeeds. @error handover.restart_failed
    virtual Error restart() = 0;
};

/// A hardware watchdog that runs across the jump, so that a machine that dies in it comes back.
class Watchdog {
public:
    struct Armed {
        std::string name;                 ///< "watchdog0"
        std::string identity;             ///< "i6300ESB timer"
        std::chrono::seconds timeout{0};  ///< the nearest to what was asked for that it can
        bool guards = false;  ///< the kernel leaves it running at the reboot notifier, which kexec fires
    };

    virtual ~Watchdog() = default;
    /// It runs from then on, and nothing feeds it.
    /// @error handover.watchdog_none, handover.watchdog_failed: nothing runs that did not before
    virtual Result<Armed> arm(std::chrono::seconds timeout) = 0;
    /// Stops it where it was armed. @error handover.watchdog_runs_on
    virtual Result<void> disarm() = 0;
};

/// The boot entry that the firmware is asked for once, outside of our own store.
class EntryOnce {
public:
    virtual ~EntryOnce() = default;
    /// Asks for one, or for none.
    virtual Result<void> set(const std::optional<std::string>& entry) = 0;
};

/// Writes boot counters. Each call is one rename on the file system that holds the entry, which is writable for
/// that moment alone. Blocking: 15 seconds at most, and for a device to come back 30.
class TryCounter {
public:
    virtual ~TryCounter() = default;
    /// @error the file keeps its name: state.not_writable, state.entry_mount_failed, state.entry_hangs, and those
    /// of rename_file()
    virtual Result<void> take(const Try& one) = 0;
    /// The file has its earlier name again, also where it never lost it. The device may have another node now, and
    /// be some seconds late. @error as take(), and handover.entry_device_gone
    virtual Result<void> give_back(const Try& one) = 0;
};

/// Lifetime: borrowed, all of it.
struct Ports {
    const Root& root;  ///< for memory, boot id and the lock
    Fetcher& fetcher;
    kexec::Loader& loader;
    Quiescer& quiescer;
    Surroundings& surroundings;
    quiesce::StateStore& run_store;                ///< in /run: survives the daemon
    quiesce::StateStore* durable_store = nullptr;  ///< survives the kernel; null: this machine has none
    Restarter& restarter;
    Watchdog& watchdog;
    TryCounter& counter;
    Hooks& hooks;
    quiesce::Journal& journal;
    Observer& observer;
    const Clock& clock;
    EntryOnce& entry_once;
};

}  // namespace stillboot::handover
