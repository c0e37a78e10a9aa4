// SPDX-License-Identifier: Apache-2.0
// The effects of this room behind small interfaces, and the ones that production uses.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/clock.hpp"
#include "config/base/process.hpp"
#include "config/base/root.hpp"
#include "quiesce/inventory.hpp"
#include "quiesce/journal.hpp"
#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {

struct WriteOutcome {
    enum class End {
        done,
        failed,   ///< error_number says why
        hung,     ///< the deadline passed: the writer is left behind in the kernel
        crashed,  ///< the kernel ended the writer in the middle: an oops in the driver
    };
    End end = End::done;
    int error_number = 0;

    [[nodiscard]] bool done() const { return end == End::done; }
    [[nodiscard]] bool hung() const { return end == End::hung; }
};

/// Writes to attributes whose write may never return (bind, unbind, sriov_numvfs), any number at a time.
class AttributeWriter {
public:
    struct Ended {
        int ticket = 0;
        WriteOutcome outcome;
    };

    virtual ~AttributeWriter() = default;
    /// Begins a write and returns at once. @return its ticket  @error that of the open or of the fork
    virtual Result<int> start(const Root& root, const std::string& path, const std::string& text) = 0;
    /// Waits until some of those that were begun have ended, at most as long as it is given; with none under way
    /// it returns at once.
    virtual std::vector<Ended> wait(std::chrono::milliseconds patience) = 0;
    /// Gives one up: its writer stays behind in the kernel.
    virtual void leave_behind(int ticket) = 0;

    /// One write, to its end or to the deadline. Not while others are under way. Blocking, until the deadline.
    WriteOutcome write(const Root& root, const std::string& path, const std::string& text,
                       std::chrono::milliseconds deadline);
};

/// One forked process a write. The file is opened before the fork; the child calls nothing but what is
/// async-signal-safe, holds no other descriptor, and is left alone when it hangs (SIGKILL does nothing there).
class ForkedWriter final : public AttributeWriter {
public:
    ~ForkedWriter() override;
    Result<int> start(const Root& root, const std::string& path, const std::string& text) override;
    std::vector<Ended> wait(std::chrono::milliseconds patience) override;
    void leave_behind(int ticket) override;
    /// Workers that hung and still do. Reaps those that have come back meanwhile.
    [[nodiscard]] std::vector<pid_t> left_behind();

private:
    std::map<pid_t, UniqueFd> under_way_;  // the ticket is the worker's pid; its pidfd
    std::vector<pid_t> left_;
};

/// Whether the first sector of a disk can be read. Blocking, until the deadline.
class DiskReader {
public:
    virtual ~DiskReader() = default;
    virtual Result<void> read_first_sector(const Root& root, const std::string& disk,
                                           std::chrono::milliseconds deadline) = 0;
};

/// Reads /dev/DISK with O_DIRECT in a forked process, so that a dead disk costs only the deadline.
class ForkedDiskReader final : public DiskReader {
public:
    /// @error quiesce.disk_unreadable, quiesce.disk_hung
    Result<void> read_first_sector(const Root& root, const std::string& disk,
                                   std::chrono::milliseconds deadline) override;
};

class NetworkControl {
public:
    virtual ~NetworkControl() = default;
    /// Sets IFF_UP. @error quiesce.interface_not_up
    virtual Result<void> set_up(const std::string& interface) = 0;
};

class SystemNetworkControl final : public NetworkControl {
public:
    Result<void> set_up(const std::string& interface) override;
};

/// udev's event queue: nothing of it may run while devices go.
class EventQueue {
public:
    virtual ~EventQueue() = default;
    virtual Result<void> stop() = 0;
    virtual Result<void> start() = 0;
    /// Waits until udev has handled what is queued, at most until the deadline.
    virtual void settle(std::chrono::seconds deadline) = 0;
};

/// By `udevadm control` and `udevadm settle`. A machine without udev has no queue: that is success.
class UdevQueue final : public EventQueue {
public:
    UdevQueue(const Root& root, ProcessRunner& runner) : root_(root), runner_(runner) {}
    /// @error base.spawn_failed, base.child_timed_out, base.child_failed
    Result<void> stop() override;
    Result<void> start() override;
    void settle(std::chrono::seconds deadline) override;

private:
    [[nodiscard]] bool present() const;
    Result<void> control(const std::string& order);

    const Root& root_;
    ProcessRunner& runner_;
};

/// Other programs of this machine.
class Processes {
public:
    virtual ~Processes() = default;
    /// SIGTERM: it may end in good order. One that has gone is fine.
    virtual void ask_to_end(const std::string& pid) = 0;
};

class SystemProcesses final : public Processes {
public:
    void ask_to_end(const std::string& pid) override;
};

/// Waiting, so that a test need not.
class Pause {
public:
    virtual ~Pause() = default;
    virtual void wait(std::chrono::milliseconds time) = 0;
};

class SystemPause final : public Pause {
public:
    void wait(std::chrono::milliseconds time) override;
};

/// Everything the executor, the verifier and the undo act through. Lifetime: borrowed, all of it.
struct Ports {
    const Root& root;
    AttributeWriter& writer;
    DiskReader& disks;
    NetworkControl& network;
    EventQueue& events;
    Processes& processes;
    Journal& journal;
    const Clock& clock;
    Pause& pause;
    CreationOrder creation_order;
    EntryReader entries;
};

/// Owns what production uses. Not movable: ports() borrows from it.
class SystemPorts {
public:
    /// @param root "/" in production; its /dev/kmsg and /dev/console take the journal.
    explicit SystemPorts(const Root& root);
    SystemPorts(const SystemPorts&) = delete;
    SystemPorts& operator=(const SystemPorts&) = delete;
    [[nodiscard]] Ports ports();
    [[nodiscard]] ForkedWriter& writer() { return writer_; }

private:
    const Root& root_;
    SystemProcessRunner runner_;
    ForkedWriter writer_;
    ForkedDiskReader disks_;
    SystemNetworkControl network_;
    UdevQueue events_;
    SystemProcesses processes_;
    KernelJournal journal_;
    SystemClock clock_;
    SystemPause pause_;
};

}  // namespace stillboot::quiesce
