// SPDX-License-Identifier: Apache-2.0
// A machine of files: a sysfs tree built device by device, and a kernel that acts on bind and unbind.
#pragma once

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quiesce/ports.hpp"
#include "tests/temporary_tree.hpp"

namespace stillboot::quiesce::test {

using stillboot::test::TemporaryTree;

/// Paths are those of the machine: "/sys/devices/…".
class FakeMachine {
public:
    FakeMachine() : root_(tree_.root()) {
        tree_.directory("sys/bus");
        file("/proc/sys/kernel/random/boot_id", "11111111-2222-3333-4444-555555555555\n");
        file("/proc/sys/kernel/printk_devkmsg", "ratelimit\n");
        file("/proc/self/mountinfo", "");
    }

    [[nodiscard]] const Root& root() const { return root_; }
    [[nodiscard]] std::filesystem::path real(std::string_view path) const {
        return tree_.path() / std::filesystem::path(path).relative_path();
    }
    void file(std::string_view path, std::string_view text) const { tree_.file(path.substr(1), text); }
    [[nodiscard]] std::string text(std::string_view path) const {
        return root_.read_attribute(path).value_or("?");
    }

    /// A link as sysfs writes it: relative.
    void link(std::string_view path, std::string_view target) const {
        const auto relative =
            std::filesystem::path(target).lexically_relative(std::filesystem::path(path).parent_path());
        tree_.link(path.substr(1), relative.string());
    }

    void bus(const std::string& name) {
        if (!std::filesystem::exists(real("/sys/bus/" + name + "/drivers_autoprobe"))) {
            file("/sys/bus/" + name + "/drivers_autoprobe", "1\n");
            std::filesystem::create_directories(real("/sys/bus/" + name + "/devices"));
        }
    }

    /// A device, bound in the order of the calls where a driver is given.
    void device(const std::string& path, const std::string& bus_name, const std::string& driver = "") {
        bus(bus_name);
        const std::string name = path.substr(path.rfind('/') + 1);
        std::filesystem::create_directories(real(path));
        file(path + "/modalias", bus_name + ":" + driver + "\n");
        link("/sys/bus/" + bus_name + "/devices/" + name, path);
        order_["/sys/bus/" + bus_name + "/devices/" + name] = ++made_;
        link(path + "/subsystem", "/sys/bus/" + bus_name);
        if (!driver.empty()) {
            bind(path, bus_name, driver);
        }
    }

    /// A PCI function with a class, and a configuration space that says endpoint and nothing enabled.
    void pci(const std::string& path, std::string_view class_code, const std::string& driver = "") {
        device(path, "pci", driver);
        file(path + "/class", class_code);
        file(path + "/vendor", "0x8086\n");
        file(path + "/device", "0x100e\n");
        file(path + "/enable", "0");
        file(path + "/config", config());
    }

    /// 256 bytes of a device 8086:100e with header type 0 and the given command register.
    static std::string config(unsigned char command = 0, unsigned char header_type = 0) {
        std::string bytes(256, '\0');
        bytes[0] = '\x86';
        bytes[1] = '\x80';
        bytes[4] = static_cast<char>(command);
        bytes[0x0e] = static_cast<char>(header_type);
        return bytes;
    }

    /// A driver that registers, where it has not yet.
    void driver(const std::string& bus_name, const std::string& name) {
        const std::string home = "/sys/bus/" + bus_name + "/drivers/" + name;
        if (!std::filesystem::exists(real(home))) {
            file(home + "/unbind", "");
            file(home + "/bind", "");
            order_[home] = ++made_;
        }
    }

    void bind(const std::string& path, const std::string& bus_name, const std::string& driver) {
        this->driver(bus_name, driver);
        link(path + "/driver", "/sys/bus/" + bus_name + "/drivers/" + driver);
        order_[path + "/driver"] = ++made_;
    }
    void unbind(const std::string& path) const { std::filesystem::remove(real(path + "/driver")); }
    void bind_order(const std::string& path, std::uint64_t order) { order_[path + "/driver"] = order; }

    /// A child that a class shows: ("/sys/devices/…/net/eth0", "net").
    void class_device(const std::string& path, const std::string& class_name) const {
        std::filesystem::create_directories(real(path));
        link("/sys/class/" + class_name + "/" + path.substr(path.rfind('/') + 1), path);
    }

    void disk(const std::string& path, std::string_view number, std::string_view wwid) const {
        class_device(path, "block");
        file(path + "/dev", number);
        file(path + "/size", "2048");
        file(path + "/wwid", wwid);
        file("/dev/" + path.substr(path.rfind('/') + 1), std::string(4096, 'x'));
    }

    void interface(const std::string& path, std::string_view address) const {
        class_device(path, "net");
        file(path + "/address", address);
        file(path + "/flags", "0x1003");
        file(path + "/carrier", "1");
    }

    void device_link(const std::string& supplier, const std::string& consumer,
                     std::string_view status = "active") {
        const std::string path = "/sys/devices/virtual/devlink/l" + std::to_string(++links_);
        class_device(path, "devlink");
        link(path + "/supplier", supplier);
        link(path + "/consumer", consumer);
        file(path + "/status", status);
    }

    [[nodiscard]] CreationOrder order_reader() const {
        return [this](const Root&, const std::string& path) {
            const auto found = order_.find(path);
            return found == order_.end() ? 0 : found->second;
        };
    }

    [[nodiscard]] EntryReader entry_reader() const {
        return [order = order_reader()](const Root& root, const std::string& directory) {
            std::vector<SysfsEntry> entries;
            for (const auto& name : root.list(directory).value_or(std::vector<std::string>{})) {
                entries.push_back({name, order(root, directory + "/" + name)});
            }
            return entries;
        };
    }

    [[nodiscard]] Inventory inventory() const { return read_inventory(root_, order_reader()).value(); }

private:
    TemporaryTree tree_;
    Root root_;
    std::map<std::string, std::uint64_t> order_;
    std::uint64_t made_ = 0;
    int links_ = 0;
};

/// Time that passes only by waiting, so that no test sleeps.
class FakeTime final : public Clock, public Pause {
public:
    [[nodiscard]] Instant now() const override { return now_; }
    void wait(std::chrono::milliseconds time) override {
        now_ += time;
        on_wait();
    }
    std::function<void()> on_wait = [] {};

private:
    Instant now_{};
};

/// Acts on writes to bind, unbind and sriov_numvfs as the kernel does, each when its time is over, and fails where
/// it is told to.
class FakeKernel final : public AttributeWriter {
public:
    FakeKernel(FakeMachine& machine, FakeTime& time) : machine_(machine), time_(time) {}

    Result<int> start(const Root&, const std::string& path, const std::string& text) override {
        const std::string write = path + " " + text;
        writes.push_back(write);
        ++count_;
        const auto found = takes.find(write);
        const auto time = found == takes.end() ? std::chrono::milliseconds(0) : found->second;
        under_way_.push_back({count_, time_.now() + time, path, text});
        most_at_once = std::max(most_at_once, under_way_.size());
        return count_;
    }

    std::vector<Ended> wait(std::chrono::milliseconds patience) override {
        if (under_way_.empty()) {
            return {};
        }
        auto next = time_.now() + patience;
        for (const auto& each : under_way_) {
            next = each.ticket == fail_at && fail_with == 0 ? next : std::min<Clock::Instant>(next, each.ends);
        }
        if (next > time_.now()) {
            time_.wait(std::chrono::duration_cast<std::chrono::milliseconds>(next - time_.now()));
        }
        std::vector<Ended> ended;
        for (const auto& each : std::vector(under_way_)) {
            if (each.ends <= time_.now() && !(each.ticket == fail_at && fail_with == 0)) {
                std::erase_if(under_way_, [&](const auto& other) { return other.ticket == each.ticket; });
                ended.push_back({each.ticket, outcome_of(each)});
            }
        }
        return ended;
    }

    void leave_behind(int ticket) override {
        std::erase_if(under_way_, [&](const auto& each) { return each.ticket == ticket; });
    }

    std::vector<std::string> writes;
    std::map<std::string, std::chrono::milliseconds> takes;  ///< by write; none takes no time
    std::size_t most_at_once = 0;
    int fail_at = 0;    ///< the number of the write that fails, from 1
    int fail_with = 0;  ///< its errno; 0 lets it hang, -1 crashes it
    /// What happens besides, with the device's path: children go, disks come.
    std::function<void(const std::string&)> on_unbind = [](const std::string&) {};
    std::function<void(const std::string&)> on_bind = [](const std::string&) {};

private:
    struct UnderWay {
        int ticket;
        Clock::Instant ends;
        std::string path;
        std::string text;
    };

    WriteOutcome outcome_of(const UnderWay& write) {
        if (write.ticket == fail_at) {
            return fail_with < 0 ? WriteOutcome{WriteOutcome::End::crashed, 0}
                                 : WriteOutcome{WriteOutcome::End::failed, fail_with};
        }
        if (write.path.ends_with("/unbind")) {
            return unbind(write.path, write.text);
        }
        if (write.path.ends_with("/bind")) {
            return bind(write.path, write.text);
        }
        if (write.path.ends_with("/drivers_probe")) {
            return probe(write.path, write.text);
        }
        machine_.file(write.path, write.text);
        return {};
    }

    struct Target {
        std::string bus;
        std::string driver;
        std::string path;
    };

    Target target(const std::string& file, const std::string& name) const {
        const auto directory = std::filesystem::path(file).parent_path();
        Target found;
        found.driver = directory.filename().string();
        found.bus = directory.parent_path().parent_path().filename().string();
        const auto link = "/sys/bus/" + found.bus + "/devices/" + name;
        found.path = machine_.root().canonical(link).value_or("");
        return found;
    }

    WriteOutcome unbind(const std::string& file, const std::string& name) {
        const Target at = target(file, name);
        if (at.path.empty() || current_driver(machine_.root(), at.path) != at.driver) {
            return {WriteOutcome::End::failed, ENODEV};
        }
        machine_.unbind(at.path);
        on_unbind(at.path);
        return {};
    }

    WriteOutcome bind(const std::string& file, const std::string& name) {
        const Target at = target(file, name);
        // A device is for the driver that its modalias names.
        if (at.path.empty() || !current_driver(machine_.root(), at.path).empty() ||
            machine_.text(at.path + "/modalias") != at.bus + ":" + at.driver) {
            return {WriteOutcome::End::failed, ENODEV};
        }
        machine_.bind(at.path, at.bus, at.driver);
        on_bind(at.path);
        return {};
    }

    // The bus tries each driver that it has.
    WriteOutcome probe(const std::string& file, const std::string& name) {
        const auto home = std::filesystem::path(file).parent_path().string() + "/drivers";
        for (const auto& driver : machine_.root().list(home).value_or(std::vector<std::string>{})) {
            if (bind(home + "/" + driver + "/bind", name).done()) {
                return {};
            }
        }
        return {};
    }

    FakeMachine& machine_;
    FakeTime& time_;
    std::vector<UnderWay> under_way_;
    int count_ = 0;
};

class FakeJournal final : public Journal {
public:
    void line(const Message& message) override { lines.push_back(message.sentence()); }
    void keep(std::string_view line) override { kept.emplace_back(line); }
    std::vector<std::string> lines;
    std::vector<std::string> kept;
};

class FakeEvents final : public EventQueue {
public:
    Result<void> stop() override {
        acts.emplace_back("stop");
        return {};
    }
    Result<void> start() override {
        acts.emplace_back("start");
        return {};
    }
    void settle(std::chrono::seconds) override { acts.emplace_back("settle"); }
    std::vector<std::string> acts;
};

/// Reads the machine's /dev through the shipped reader's own rules, but in this process.
class FakeDisks final : public DiskReader {
public:
    Result<void> read_first_sector(const Root& root, const std::string& disk, std::chrono::milliseconds) override {
        const auto read = root.read_file("/dev/" + disk, 1 << 20);
        return read ? Result<void>() : Error::from_errno(EIO, "quiesce.disk_unreadable", {{"disk", disk}});
    }
};

class FakeProcesses final : public Processes {
public:
    void ask_to_end(const std::string& pid) override { asked.push_back(pid); }
    std::vector<std::string> asked;
};

class FakeNetwork final : public NetworkControl {
public:
    explicit FakeNetwork(FakeMachine& machine) : machine_(machine) {}
    Result<void> set_up(const std::string& interface) override {
        const auto path = machine_.root().canonical("/sys/class/net/" + interface).value_or("");
        machine_.file(path + "/flags", "0x1003");
        machine_.file(path + "/carrier", "1");
        return {};
    }

private:
    FakeMachine& machine_;
};

/// A fake of each port over one machine.
struct FakeWorld {
    FakeMachine machine;
    FakeTime time;
    FakeKernel kernel{machine, time};
    FakeJournal journal;
    FakeEvents events;
    FakeProcesses processes;
    FakeDisks disks;
    FakeNetwork network{machine};

    [[nodiscard]] Ports ports() {
        return {machine.root(),
                kernel,
                disks,
                network,
                events,
                processes,
                journal,
                time,
                time,
                machine.order_reader(),
                machine.entry_reader()};
    }
};

}  // namespace stillboot::quiesce::test
