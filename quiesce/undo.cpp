// SPDX-License-Identifier: Apache-2.0
// The way back: give back what finds devices, bind top down, wait until disks and interfaces answer.
#include "quiesce/undo.hpp"

#include <algorithm>
#include <cerrno>
#include <set>

#include "quiesce/sysfs.hpp"

namespace stillboot::quiesce {
namespace {

constexpr std::chrono::milliseconds poll_pause{200};
constexpr std::chrono::seconds settle_deadline{10};
constexpr std::chrono::seconds hung_bind_deadline{2};  // its device lock is held: a long wait gains nothing
constexpr std::chrono::seconds sriov_deadline{60};
constexpr std::chrono::seconds read_deadline{5};

class Undo {
public:
    Undo(const UndoRecord& record, const Ports& ports, const UndoOptions& options)
        : record_(record), ports_(ports), options_(options) {}

    UndoReport run() {
        if (record_.boot_id != current_boot_id(ports_.root)) {
            report_.not_back.emplace_back("quiesce.other_boot");
            return std::move(report_);
        }
        ports_.journal.line(Message("quiesce.journal_undo"));
        give_back_autoprobe();
        probe_what_came();
        give_back_events();
        bind_all();
        give_back_virtual_functions();
        wait_until_back();
        give_back_kernel_log();
        return std::move(report_);
    }

private:
    void not_back(const Error& error) { report_.not_back.push_back(error.message()); }

    void give_back_autoprobe() {
        for (const auto& [bus, before] : record_.autoprobe) {
            const std::string file = "/sys/bus/" + bus + "/drivers_autoprobe";
            auto written = ports_.root.write_attribute(file, before);
            if (!written && ports_.root.exists("/sys/bus/" + bus)) {
                not_back(written.error());
            }
        }
    }

    bool is_new(const SysfsEntry& entry) const { return entry.order > record_.newest; }

    bool was_unbound(const std::string& path) const {
        return std::any_of(record_.unbound.begin(), record_.unbound.end(),
                           [&](const RecordedDevice& device) { return device.path == path; });
    }

    // Devices of a bus without a driver that are not ours to bind, by name: whether each came meanwhile.
    std::map<std::string, bool> driverless_of(const std::string& bus) const {
        std::map<std::string, bool> found;
        const std::string devices = "/sys/bus/" + bus + "/devices";
        for (const auto& entry : ports_.entries(ports_.root, devices)) {
            const auto path = ports_.root.canonical(devices + "/" + entry.name);
            if (path && current_driver(ports_.root, *path).empty() && !was_unbound(*path)) {
                found[entry.name] = is_new(entry);
            }
        }
        return found;
    }

    void probe(const std::string& file, const std::string& name) {
        // Most do not belong together: the kernel says so by an error.
        const auto outcome = ports_.writer.write(ports_.root, file, name, options_.bind_deadline);
        if (outcome.hung()) {
            report_.not_back.emplace_back("quiesce.probe_hung",
                                          std::initializer_list<Message::Param>{{"device", name}, {"file", file}});
        }
    }

    void probe_for_new_drivers(const std::string& bus, const std::map<std::string, bool>& devices) {
        const std::string home = "/sys/bus/" + bus + "/drivers";
        for (const auto& driver : ports_.entries(ports_.root, home)) {
            if (!is_new(driver)) {
                continue;
            }
            ports_.journal.line(Message("quiesce.journal_new_driver", {{"driver", driver.name}, {"bus", bus}}));
            for (const auto& [name, came_meanwhile] : devices) {
                probe(home + "/" + driver.name + "/bind", name);
            }
        }
    }

    void probe_new_devices(const std::string& bus, const std::map<std::string, bool>& devices) {
        for (const auto& [name, came_meanwhile] : devices) {
            if (came_meanwhile) {
                ports_.journal.line(Message("quiesce.journal_new_device", {{"device", name}, {"bus", bus}}));
                probe("/sys/bus/" + bus + "/drivers_probe", name);
            }
        }
    }

    // A module whose loading was under way, a device that was plugged in: with autoprobe off the kernel brought
    // no driver and device together.
    void probe_what_came() {
        for (const auto& [bus, before] : record_.autoprobe) {
            if (before == "1") {
                const auto devices = driverless_of(bus);
                probe_for_new_drivers(bus, devices);
                probe_new_devices(bus, devices);
            }
        }
    }

    void give_back_events() {
        if (!record_.udev_stopped) {
            return;
        }
        if (auto started = ports_.events.start(); !started) {
            not_back(started.error());
        }
    }

    void give_back_kernel_log() {
        if (record_.printk_devkmsg) {
            // Fixed by the command line it cannot have been changed either.
            (void)ports_.root.write_attribute("/proc/sys/kernel/printk_devkmsg", *record_.printk_devkmsg + "\n");
        }
    }

    void give_back_virtual_functions() {
        for (const auto& [path, functions] : record_.virtual_functions) {
            const auto count = std::to_string(functions);
            const auto before = ports_.root.read_attribute(path + "/sriov_numvfs");
            if (before && *before == count) {
                continue;
            }
            const auto outcome = ports_.writer.write(ports_.root, path + "/sriov_numvfs", count, sriov_deadline);
            if (!outcome.done()) {
                not_back(Error::from_errno(outcome.error_number, "quiesce.sriov_not_back", {{"device", path}}));
            }
        }
    }

    // An inventory leaves out the modalias of most devices without a driver.
    std::string modalias_of(const Device& device) const {
        return device.modalias.empty() ? attribute_or_empty(ports_.root, device.path + "/modalias")
                                       : device.modalias;
    }

    // A device may come back under another name. Its place without counters and its kind tell which it is.
    const Device* find_device(const Inventory& now, const RecordedDevice& wanted,
                              const std::set<std::string>& taken) const {
        const auto same = now.devices.find(wanted.path);
        if (same != now.devices.end() && same->second.bus == wanted.bus && !taken.contains(wanted.path) &&
            modalias_of(same->second) == wanted.modalias) {
            return &same->second;
        }
        for (const auto& [path, device] : now.devices) {
            if (device.bus == wanted.bus && !taken.contains(path) && stable_identity(path) == wanted.identity &&
                modalias_of(device) == wanted.modalias) {
                return &device;
            }
        }
        return nullptr;
    }

    bool was_hung(const RecordedDevice& device) const {
        return std::find(record_.hung.begin(), record_.hung.end(), device.path) != record_.hung.end();
    }

    void bind_one(const Device& device, const RecordedDevice& wanted) {
        if (device.bound() || !tried_.insert(device.path).second) {
            return;
        }
        ports_.journal.line(Message("quiesce.journal_bind",
                                    {{"device", device.name}, {"driver", wanted.driver}, {"bus", wanted.bus}}));
        const std::string file = "/sys/bus/" + wanted.bus + "/drivers/" + wanted.driver + "/bind";
        const auto deadline = was_hung(wanted) ? hung_bind_deadline : options_.bind_deadline;
        // Its failure is judged by the state of the device alone: the kernel may have bound it meanwhile.
        const auto outcome = ports_.writer.write(ports_.root, file, device.name, deadline);
        if (!outcome.done()) {
            bind_errors_[wanted.path] = outcome.hung() ? ETIMEDOUT : outcome.error_number;
        }
    }

    // Top down: what went last comes first. What is not there yet is made by a bind before it, and found (and
    // bound, should the kernel not have done so) when all is looked over.
    void bind_all() {
        for (auto wanted = record_.unbound.rbegin(); wanted != record_.unbound.rend(); ++wanted) {
            const auto modalias = ports_.root.read_attribute(wanted->path + "/modalias");
            if (ports_.root.exists(wanted->path) && modalias.value_or("") == wanted->modalias) {
                Device device;
                device.path = wanted->path;
                device.name = wanted->name;
                device.driver = current_driver(ports_.root, wanted->path);
                bind_one(device, *wanted);
            }
        }
    }

    struct Missing {
        std::vector<Message> messages;
        std::vector<Message> notes;
        std::vector<std::string> bound;
    };

    void check_devices(const Inventory& now, Missing& missing, bool last) {
        std::set<std::string> taken;
        for (auto wanted = record_.unbound.rbegin(); wanted != record_.unbound.rend(); ++wanted) {
            const Device* device = find_device(now, *wanted, taken);
            if (device == nullptr) {
                missing.messages.push_back(about("quiesce.device_gone", *wanted));
                continue;
            }
            taken.insert(device->path);
            if (device->driver == wanted->driver) {
                missing.bound.push_back(device->path);
                continue;
            }
            if (!last) {
                bind_one(*device, *wanted);
            }
            missing.messages.push_back(why_unbound(*wanted));
        }
        for (const auto& follower : record_.followers) {
            const Device* device = find_device(now, follower, taken);
            if (device == nullptr || device->driver != follower.driver) {
                missing.notes.push_back(about("quiesce.follower_not_back", follower));
            } else {
                taken.insert(device->path);
            }
        }
    }

    static Message about(std::string_view code, const RecordedDevice& device) {
        return Message(code, {{"device", device.path}, {"driver", device.driver}});
    }

    Message why_unbound(const RecordedDevice& wanted) const {
        if (was_hung(wanted)) {
            return about("quiesce.still_hung", wanted);
        }
        const auto error = bind_errors_.find(wanted.path);
        const int number = error == bind_errors_.end() ? 0 : error->second;
        return about("quiesce.not_bound", wanted)
            .with({"errno", number == 0 ? std::string("no driver took it") : errno_words(number)});
    }

    static const BlockDevice* find_disk(const Inventory& now, const RecordedDisk& wanted,
                                        const std::set<std::string>& taken) {
        for (const auto& [name, block] : now.blocks) {
            if (!taken.contains(name) && block.wwid == wanted.wwid && block.sectors == wanted.sectors &&
                stable_identity(block.path) == wanted.identity) {
                return &block;
            }
        }
        return nullptr;
    }

    void check_disks(const Inventory& now, Missing& missing) {
        std::set<std::string> taken;
        for (const auto& wanted : record_.disks) {
            const BlockDevice* disk = find_disk(now, wanted, taken);
            if (disk == nullptr) {
                missing.messages.emplace_back("quiesce.disk_gone",
                                              std::initializer_list<Message::Param>{{"disk", wanted.name}});
                continue;
            }
            taken.insert(disk->name);
            if (disk->name != wanted.name) {
                missing.notes.emplace_back(
                    "quiesce.disk_renamed",
                    std::initializer_list<Message::Param>{{"disk", wanted.name}, {"now", disk->name}});
            }
            // A disk that has read once since it came back is not asked again.
            if (readable_.contains(disk->name)) {
                continue;
            }
            if (auto read = ports_.disks.read_first_sector(ports_.root, disk->name, read_deadline); !read) {
                missing.messages.push_back(read.error().message());
            } else {
                readable_.insert(disk->name);
            }
        }
    }

    void check_interface(const NetworkInterface& interface, const RecordedInterface& wanted, Missing& missing) {
        if (interface.name != wanted.name) {
            missing.notes.emplace_back(
                "quiesce.interface_renamed",
                std::initializer_list<Message::Param>{{"interface", wanted.name}, {"now", interface.name}});
        }
        if (wanted.up && !interface.up) {
            auto up = ports_.network.set_up(interface.name);
            missing.messages.push_back(up ? Message("quiesce.interface_no_link", {{"interface", interface.name}})
                                          : up.error().message());
        } else if (wanted.carrier && !interface.carrier) {
            missing.messages.emplace_back("quiesce.interface_no_link",
                                          std::initializer_list<Message::Param>{{"interface", interface.name}});
        }
    }

    void check_interfaces(const Inventory& now, Missing& missing) {
        std::set<std::string> taken;
        for (const auto& wanted : record_.interfaces) {
            const auto found =
                std::find_if(now.interfaces.begin(), now.interfaces.end(), [&](const NetworkInterface& candidate) {
                    return !taken.contains(candidate.name) && candidate.address == wanted.address &&
                           stable_identity(candidate.path) == wanted.identity;
                });
            if (found == now.interfaces.end()) {
                missing.messages.emplace_back("quiesce.interface_gone",
                                              std::initializer_list<Message::Param>{{"interface", wanted.name}});
                continue;
            }
            taken.insert(found->name);
            check_interface(*found, wanted, missing);
        }
    }

    Missing check(bool last) {
        Missing missing;
        auto now = read_inventory(ports_.root, ports_.creation_order);
        if (!now) {
            missing.messages.push_back(now.error().message());
            return missing;
        }
        check_devices(*now, missing, last);
        check_disks(*now, missing);
        check_interfaces(*now, missing);
        return missing;
    }

    // Disks are scanned and links negotiated after the bind has returned.
    void wait_until_back() {
        ports_.events.settle(settle_deadline);
        const auto end = ports_.clock.now() + options_.settle;
        Missing missing = check(false);
        while (is_worth_waiting(missing) && ports_.clock.now() < end) {
            ports_.pause.wait(poll_pause);
            missing = check(ports_.clock.now() >= end);
        }
        report_.bound = std::move(missing.bound);
        report_.notes = std::move(missing.notes);
        report_.not_back.insert(report_.not_back.end(), missing.messages.begin(), missing.messages.end());
        for (const auto& message : report_.not_back) {
            ports_.journal.line(message);
        }
    }

    // A remove that hangs has had its time already.
    static bool is_worth_waiting(const Missing& missing) {
        return std::any_of(missing.messages.begin(), missing.messages.end(),
                           [](const Message& message) { return message.code() != "quiesce.still_hung"; }) ||
               std::any_of(missing.notes.begin(), missing.notes.end(),
                           [](const Message& note) { return note.code() == "quiesce.follower_not_back"; });
    }

    const UndoRecord& record_;
    const Ports& ports_;
    const UndoOptions& options_;
    UndoReport report_;
    std::set<std::string> readable_;
    std::set<std::string> tried_;
    std::map<std::string, int> bind_errors_;
};

}  // namespace

UndoReport undo(const UndoRecord& record, const Ports& ports, const UndoOptions& options) {
    return Undo(record, ports, options).run();
}

}  // namespace stillboot::quiesce
