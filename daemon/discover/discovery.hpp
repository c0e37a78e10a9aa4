// SPDX-License-Identifier: Apache-2.0
// From udev events to a registry of options: which device is scanned when, and again when.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/discover/device_machine.hpp"
#include "daemon/discover/settle.hpp"
#include "daemon/discover/udev_source.hpp"
#include "daemon/loop/log.hpp"
#include "daemon/loop/spawn.hpp"
#include "daemon/probe/question.hpp"
#include "daemon/registry/registry.hpp"

namespace stillboot::discover {

/// Looks into devices: stillboot-probe and stillboot-fetch in production.
class Scanner {
public:
    using QuestionHandler = std::function<boost::asio::awaitable<probe::Answer>(probe::Question)>;
    virtual ~Scanner() = default;
    /// Scans one device, and reads the files that are named on it as well; cancelling the coroutine ends the scan.
    virtual boost::asio::awaitable<Result<ScanResult>> scan(DeviceId device, std::vector<std::string> named,
                                                            QuestionHandler handler) = 0;
    /// Answers a question about files on the device at `node`.
    virtual boost::asio::awaitable<probe::Answer> ask(std::string node, probe::Question question) = 0;
};

struct DiscoverySettings {
    unsigned parallel = 2;                              ///< scans at a time
    std::chrono::milliseconds settle_deadline{15'000};  ///< after it the countdown waits no longer
    /// How long nothing new may come before discovery counts as settled: USB and SCSI disks show up some time
    /// after their controllers, with udev idle in between.
    std::chrono::milliseconds quiet_time{1'000};
    std::string udev_directory = "/run/udev";
};

/// What the rest of the daemon hears.
struct DiscoveryEvents {
    std::function<void()> on_change;                ///< the registry has changes to take
    std::function<void(bool complete)> on_settled;  ///< false where the deadline ended the wait
};

/// Thread: the loop's alone. Lifetime: outlives the loop's last run, as do the source, scanner, registry and log.
class Discovery {
public:
    Discovery(Spawner spawner, DeviceSource& source, Scanner& scanner, registry::Registry& registry, Log& log,
              DiscoverySettings settings, DiscoveryEvents events);

    void start();
    /// Looks again for devices and scans one of them, or all. False where there is no such device.
    bool rescan(const std::optional<std::string>& device);
    using Added = std::function<void(const Result<NamedFile>&)>;
    /// Has this device's scans read a file as well, from now on until the device goes, or until nothing came of
    /// it. `done` is called once one has, with what it added: the registry has that by then.
    /// @error config.device_missing, daemon.too_many_named, why it added nothing, and those of a scan
    void add(const std::string& device, const std::string& path, Added done);
    /// How many scans may run at a time from now on.
    void set_parallel(unsigned count);
    /// Ends all scans and starts none until `resume`. `is_quiet` tells when the last has ended.
    void pause();
    void resume();
    /// After devices were away: on_settled is called again, as after the start.
    void settle_again();
    [[nodiscard]] bool is_quiet() const { return running_ == 0; }
    [[nodiscard]] bool is_settled() const { return settled_; }

private:
    struct Adding {
        std::string path;
        Added done;
        bool begun = false;  ///< the scan that runs reads it
    };
    struct Entry {
        BlockFacts facts;
        registry::DeviceRecord record;
        DeviceMachine machine;
        boost::asio::cancellation_signal cancel;
        std::vector<DeviceRef> asked;  ///< by its last scan
        bool asked_any = false;        ///< its last scan searched all devices
        unsigned scans = 0;
        std::vector<std::string> named;  ///< files that a person named
        std::vector<Adding> adding;      ///< who waits for what comes of them
    };
    using EntryPtr = std::shared_ptr<Entry>;

    boost::asio::awaitable<void> watch_devices();
    boost::asio::awaitable<void> watch_queue();
    boost::asio::awaitable<void> run_scan(EntryPtr entry);
    boost::asio::awaitable<probe::Answer> answer(EntryPtr entry, probe::Question question);
    boost::asio::awaitable<probe::Answer> find_file(EntryPtr entry, std::string path);

    void on_event(const DeviceEvent& event);
    void put(const BlockFacts& facts, bool media_change, bool rescan_wanted);
    void remove(const std::string& devpath);
    void resync(bool rescan_wanted);
    void repeat_askers(const DeviceId& device, const Entry* except);
    void act(const EntryPtr& entry, const DeviceActions& actions);
    void finish(const EntryPtr& entry, Result<ScanResult> result);
    void tell_adders(Entry& entry, const std::vector<NamedFile>& named, const Message& otherwise);
    void start_scans();
    void begin_settling();
    [[nodiscard]] EntryPtr next_queued() const;
    [[nodiscard]] std::string unique_id(const BlockFacts& facts) const;
    [[nodiscard]] std::string disk_id(const BlockFacts& facts) const;
    [[nodiscard]] bool is_busy() const;
    void reconsider_settled();

    Spawner spawner_;
    DeviceSource& source_;
    Scanner& scanner_;
    registry::Registry& registry_;
    Log& log_;
    DiscoverySettings settings_;
    DiscoveryEvents events_;
    UdevQueue queue_;
    boost::asio::steady_timer settle_timer_;
    std::chrono::steady_clock::time_point started_;
    std::chrono::steady_clock::time_point last_event_;
    std::map<std::string, EntryPtr> entries_;  // by devpath
    unsigned running_ = 0;
    bool paused_ = false;
    bool settled_ = false;
};

}  // namespace stillboot::discover
