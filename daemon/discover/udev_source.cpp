// SPDX-License-Identifier: Apache-2.0
// libudev's enumeration and monitor.
#include "daemon/discover/udev_source.hpp"

#include <libudev.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>

#include "quiesce/sysfs.hpp"

namespace stillboot::discover {
namespace {

constexpr int receive_buffer_bytes = 8 * 1024 * 1024;

std::string text(const char* value) {
    return value == nullptr ? std::string() : std::string(value);
}

std::string property(struct udev_device* device, const char* name) {
    return text(::udev_device_get_property_value(device, name));
}

template <class T>
T number(const std::string& digits, T fallback) {
    T value = fallback;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

std::string trimmed(std::string value) {
    const std::size_t last = value.find_last_not_of(" _");
    value.resize(last == std::string::npos ? 0 : last + 1);
    return value;
}

std::string model_of(struct udev_device* device) {
    std::string model = trimmed(decode_udev(property(device, "ID_MODEL_ENC")));
    return model.empty() ? trimmed(property(device, "ID_MODEL")) : model;
}

BlockFacts facts_of(struct udev_device* device) {
    BlockFacts facts;
    facts.devpath = text(::udev_device_get_devpath(device));
    facts.name = text(::udev_device_get_sysname(device));
    facts.node = text(::udev_device_get_devnode(device));
    facts.is_partition = text(::udev_device_get_devtype(device)) == "partition";
    struct udev_device* disk =
        facts.is_partition ? ::udev_device_get_parent_with_subsystem_devtype(device, "block", "disk") : device;
    disk = disk == nullptr ? device : disk;
    facts.disk_devpath = text(::udev_device_get_devpath(disk));
    facts.partition = number(text(::udev_device_get_sysattr_value(device, "partition")), 0U);
    facts.id_path = property(device, "ID_PATH");
    facts.serial = property(device, "ID_SERIAL");
    facts.model = model_of(device);
    facts.bus = property(device, "ID_BUS");
    facts.removable =
        quiesce::is_removable(facts.disk_devpath, text(::udev_device_get_sysattr_value(disk, "removable")));
    facts.has_medium = property(device, "ID_CDROM").empty() || !property(device, "ID_CDROM_MEDIA").empty();
    facts.size_bytes = number(text(::udev_device_get_sysattr_value(device, "size")), std::uint64_t{0}) * 512;
    facts.filesystem = property(device, "ID_FS_TYPE");
    facts.uuid = decode_udev(property(device, "ID_FS_UUID_ENC"));
    facts.label = decode_udev(property(device, "ID_FS_LABEL_ENC"));
    facts.partuuid = property(device, "ID_PART_ENTRY_UUID");
    facts.partlabel = decode_udev(property(device, "ID_PART_ENTRY_NAME"));
    facts.has_partition_table = !property(device, "ID_PART_TABLE_TYPE").empty();
    return facts;
}

bool is_wanted(struct udev_device* device) {
    return ::udev_device_get_devnode(device) != nullptr && !is_ignored(text(::udev_device_get_sysname(device)));
}

// "../../devices/…/sda" as a path below /sys; empty where the link has gone.
std::string devpath_of(const std::filesystem::path& link) {
    std::error_code failure;
    const std::string target = std::filesystem::read_symlink(link, failure);
    const auto place = target.find("/devices/");
    return place == target.npos ? std::string() : target.substr(place);
}

std::optional<DeviceEvent> event_of(struct udev_device* device) {
    const std::string action = text(::udev_device_get_action(device));
    DeviceEvent event;
    if (text(::udev_device_get_subsystem(device)) == "net") {
        if (action != "add" && action != "remove") {
            return std::nullopt;
        }
        event.kind = action == "add" ? DeviceEvent::Kind::interface_added : DeviceEvent::Kind::interface_removed;
        event.facts.name = text(::udev_device_get_sysname(device));
        return event;
    }
    if (!is_wanted(device)) {
        return std::nullopt;
    }
    event.kind = action == "remove" ? DeviceEvent::Kind::removed
                 : action == "add"  ? DeviceEvent::Kind::added
                                    : DeviceEvent::Kind::changed;
    event.facts = facts_of(device);
    event.media_change = property(device, "DISK_MEDIA_CHANGE") == "1";
    return event;
}

}  // namespace

void UdevSource::Deleter::operator()(struct udev* it) const {
    ::udev_unref(it);
}
void UdevSource::Deleter::operator()(struct udev_monitor* it) const {
    ::udev_monitor_unref(it);
}
void UdevSource::Deleter::operator()(struct udev_device* it) const {
    ::udev_device_unref(it);
}

Result<std::unique_ptr<UdevSource>> UdevSource::open(const boost::asio::any_io_executor& executor) {
    std::unique_ptr<UdevSource> source(new UdevSource(executor));
    source->udev_.reset(::udev_new());
    if (source->udev_) {
        source->monitor_.reset(::udev_monitor_new_from_netlink(source->udev_.get(), "udev"));
    }
    struct udev_monitor* monitor = source->monitor_.get();
    if (monitor == nullptr) {
        return Error::from_errno(errno, "daemon.udev_failed");
    }
    ::udev_monitor_filter_add_match_subsystem_devtype(monitor, "block", nullptr);
    ::udev_monitor_filter_add_match_subsystem_devtype(monitor, "net", nullptr);
    ::udev_monitor_set_receive_buffer_size(monitor, receive_buffer_bytes);
    if (const int failure = ::udev_monitor_enable_receiving(monitor); failure < 0) {
        return Error::from_errno(-failure, "daemon.udev_failed");
    }
    boost::system::error_code failure;
    source->descriptor_.assign(::udev_monitor_get_fd(monitor), failure);
    if (failure) {
        return Error::from_errno(failure.value(), "daemon.udev_failed");
    }
    return source;
}

UdevSource::~UdevSource() {
    close();
}

// The descriptor is the monitor's: it must not be closed twice.
void UdevSource::close() {
    if (descriptor_.is_open()) {
        descriptor_.release();
    }
}

// Not by udev_enumerate, which would open and read every device, also the many loop devices that nobody asks for.
// Sorted by path: a partition's begins with its disk's.
std::vector<std::string> UdevSource::devpaths() {
    std::vector<std::string> paths;
    std::error_code failure;
    for (std::filesystem::directory_iterator each("/sys/class/block", failure), end; each != end;
         each.increment(failure)) {
        std::string path = is_ignored(each->path().filename().string()) ? std::string() : devpath_of(each->path());
        if (!path.empty()) {
            paths.push_back(std::move(path));
        }
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

std::optional<BlockFacts> UdevSource::read(const std::string& devpath) {
    // Without a running udev nothing is ever initialised, and what the kernel says must do.
    const bool udev_runs = ::access("/run/udev/control", F_OK) == 0;
    const std::unique_ptr<struct udev_device, Deleter> device(
        ::udev_device_new_from_syspath(udev_.get(), ("/sys" + devpath).c_str()));
    if (!device || !is_wanted(device.get()) ||
        (udev_runs && ::udev_device_get_is_initialized(device.get()) <= 0)) {
        return std::nullopt;
    }
    return facts_of(device.get());
}

boost::asio::awaitable<DeviceEvent> UdevSource::next() {
    for (;;) {
        errno = 0;
        const std::unique_ptr<struct udev_device, Deleter> device(::udev_monitor_receive_device(monitor_.get()));
        const bool lost = !device && errno == ENOBUFS;
        auto event = device ? event_of(device.get()) : std::nullopt;
        if (lost) {
            event.emplace().kind = DeviceEvent::Kind::lost_events;
        }
        if (event) {
            co_return std::move(*event);
        }
        if (!device) {
            co_await descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                            boost::asio::use_awaitable);
        }
    }
}

}  // namespace stillboot::discover
