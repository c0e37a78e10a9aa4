// SPDX-License-Identifier: Apache-2.0
// What is there: devices and their options in the fixed order, each option ready or waiting with the reason.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/base/result.hpp"
#include "config/model/device.hpp"
#include "config/model/scan_result.hpp"
#include "daemon/protocol/types.hpp"

namespace stillboot::registry {

/// A device as discovery knows it.
struct DeviceRecord {
    DeviceId identity;
    std::string filesystem;
    std::string title;
    std::string model;
    std::uint64_t size_bytes = 0;
    bool removable = false;

    bool operator==(const DeviceRecord&) const = default;
};

/// What a client's word for an option may mean.
struct NotFound {};
struct Ambiguous {
    std::vector<std::string> candidates;
};
using Found = std::variant<const protocol::Option*, NotFound, Ambiguous>;

/// "submenu>title".
[[nodiscard]] std::string path_title(const protocol::Option& option);

/// Pure state: every function changes it at once and remembers what clients must be told.
class Registry {
public:
    /// @param order the setting `order`
    explicit Registry(std::vector<std::string> order) : order_(std::move(order)) {}

    /// Puts the devices into the order of this value of the setting.
    void set_order(std::vector<std::string> order);
    /// Adds a device, or gives one that is there new facts. Its options stay.
    void put_device(const DeviceRecord& record);
    void remove_device(const std::string& id);
    void set_state(const std::string& id, protocol::DeviceState state, std::optional<Message> reason = {});
    /// The scan's result: options, container or nothing; sets the device's state.
    void set_result(const std::string& id, ScanResult result);
    /// The scan failed: the device has no options, and says why.
    void set_failed(const std::string& id, const Message& reason);

    [[nodiscard]] std::vector<protocol::Device> devices() const;
    /// Less those that repeat an option of another device: the stub on an ESP leads to entries that the device
    /// which holds them lists itself.
    [[nodiscard]] std::vector<protocol::Option> options() const;
    /// For each device in the fixed order the option that it would boot: the one that its configuration calls
    /// the default, if that is ready. Another one is never taken for it: a default that cannot be started here
    /// may stand beside entries that nobody wants started by themselves, a memory test for instance.
    [[nodiscard]] std::vector<const protocol::Option*> defaults() const;
    /// An option by id, title or path_title().
    [[nodiscard]] Found find(std::string_view what) const;
    [[nodiscard]] const DeviceRecord* device(std::string_view id) const;
    /// The records in the fixed order.
    [[nodiscard]] std::vector<const DeviceRecord*> records() const;

    /// The one device that a reference means to a configuration on device `self` (config/resolve).
    /// @error config.device_missing, config.device_ambiguous
    [[nodiscard]] Result<const DeviceRecord*> resolve(const DeviceRef& reference, std::string_view self) const;

    /// What has changed since the last call: whole devices and options, and the ids of those removed. Its `seq`
    /// and `state` are the caller's to fill. Empty where nothing has.
    [[nodiscard]] std::optional<protocol::Change> take_changes();

private:
    struct Held {
        protocol::Option option;
        bool repeated = false;  ///< says again what an option of another device says: not shown

        bool operator==(const Held&) const = default;
    };
    struct Entry {
        DeviceRecord record;
        protocol::Device device;
        std::vector<Held> options;
    };

    Entry* entry(std::string_view id);
    [[nodiscard]] const Entry* entry(std::string_view id) const;
    void set_options(Entry& entry, std::vector<BootOption> options);
    void drop_options(Entry& entry);
    void hide(const std::string& option_id);
    void show(const std::string& option_id);
    [[nodiscard]] std::string key_of(const DeviceRecord& record) const;
    void list_identities();
    void resolve_all();
    void hide_repeated();

    std::vector<std::string> order_;
    std::map<std::string, Entry, std::less<>> entries_;     // by order key
    std::map<std::string, std::string, std::less<>> keys_;  // order key by device id
    std::vector<DeviceId> identities_;                      // in the fixed order
    std::set<std::string> changed_devices_;
    std::set<std::string> removed_devices_;
    std::set<std::string> changed_options_;
    std::set<std::string> removed_options_;
};

}  // namespace stillboot::registry
