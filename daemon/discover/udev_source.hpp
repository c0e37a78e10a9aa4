// SPDX-License-Identifier: Apache-2.0
// Block devices and network interfaces from libudev, on the loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/base/result.hpp"
#include "daemon/discover/block_facts.hpp"

struct udev;
struct udev_device;
struct udev_monitor;

namespace stillboot::discover {

struct DeviceEvent {
    enum class Kind { added, changed, removed, interface_added, interface_removed, lost_events };
    Kind kind = Kind::added;
    BlockFacts facts;  ///< of block devices; of an interface only `name`
    bool media_change = false;
};

/// Where devices come from. The other implementation is a test's.
class DeviceSource {
public:
    virtual ~DeviceSource() = default;
    /// The paths below /sys of every block device that is there now, a disk before its partitions. Reads none.
    virtual std::vector<std::string> devpaths() = 0;
    /// What is known of one of them; empty where it has gone, or udev has yet to look at it: its event is to come.
    virtual std::optional<BlockFacts> read(const std::string& devpath) = 0;
    /// The next event. `lost_events` where the kernel dropped some: look at all again. Throws operation_aborted
    /// when the source is closed.
    virtual boost::asio::awaitable<DeviceEvent> next() = 0;
    virtual void close() = 0;
};

class UdevSource final : public DeviceSource {
public:
    /// Subscribes before anything is enumerated, so that nothing falls between the two.
    /// @error daemon.udev_failed
    static Result<std::unique_ptr<UdevSource>> open(const boost::asio::any_io_executor& executor);
    ~UdevSource() override;

    std::vector<std::string> devpaths() override;
    std::optional<BlockFacts> read(const std::string& devpath) override;
    boost::asio::awaitable<DeviceEvent> next() override;
    void close() override;

private:
    explicit UdevSource(const boost::asio::any_io_executor& executor) : descriptor_(executor) {}

    struct Deleter {
        void operator()(struct udev* it) const;
        void operator()(struct udev_monitor* it) const;
        void operator()(struct udev_device* it) const;
    };
    std::unique_ptr<struct udev, Deleter> udev_;
    std::unique_ptr<struct udev_monitor, Deleter> monitor_;
    boost::asio::posix::stream_descriptor descriptor_;
};

}  // namespace stillboot::discover
