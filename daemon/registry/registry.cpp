// SPDX-License-Identifier: Apache-2.0
// Devices and options, and what has changed of them.
#include "daemon/registry/registry.hpp"

#include <algorithm>
#include <utility>

#include "config/resolve/resolve.hpp"
#include "daemon/registry/order.hpp"

namespace stillboot::registry {
namespace {

using protocol::DeviceState;
using protocol::Option;
using protocol::OptionState;

protocol::Device shown(const DeviceRecord& record, std::string order) {
    protocol::Device device;
    device.id = record.identity.id;
    device.order = std::move(order);
    device.node = record.identity.node;
    device.uuid = record.identity.uuid;
    device.label = record.identity.label;
    device.filesystem = record.filesystem;
    device.title = record.title;
    if (!record.identity.disk.empty() && record.identity.disk != record.identity.id) {
        device.parent = record.identity.disk;
    }
    device.model = record.model;
    device.size_bytes = record.size_bytes;
    device.removable = record.removable;
    return device;
}

}  // namespace

std::string path_title(const Option& option) {
    std::string path;
    for (const auto& submenu : option.submenus) {
        path += submenu + ">";
    }
    return path + option.title;
}

Registry::Entry* Registry::entry(std::string_view id) {
    const auto key = keys_.find(id);
    return key == keys_.end() ? nullptr : &entries_.at(key->second);
}

const Registry::Entry* Registry::entry(std::string_view id) const {
    const auto key = keys_.find(id);
    return key == keys_.end() ? nullptr : &entries_.at(key->second);
}

std::string Registry::key_of(const DeviceRecord& record) const {
    return order_key(order_, record.identity.id, record.removable) + "\x01" + record.identity.id;
}

void Registry::set_order(std::vector<std::string> order) {
    if (order == order_) {
        return;
    }
    order_ = std::move(order);
    for (auto& [before, each] : std::exchange(entries_, {})) {
        const std::string id = each.record.identity.id;
        std::string key = key_of(each.record);
        if (key != before) {
            each.device.order = key;
            changed_devices_.insert(id);
        }
        keys_[id] = key;
        entries_.emplace(std::move(key), std::move(each));
    }
    list_identities();
    resolve_all();
}

void Registry::put_device(const DeviceRecord& record) {
    const std::string& id = record.identity.id;
    const std::string key = key_of(record);
    Entry fresh;
    if (const auto known = keys_.find(id); known != keys_.end()) {
        auto node = entries_.extract(known->second);
        fresh = std::move(node.mapped());
    }
    protocol::Device device = shown(record, key);
    device.state = fresh.device.state;
    device.reason = fresh.device.reason;
    device.diagnostics = std::move(fresh.device.diagnostics);
    fresh.record = record;
    fresh.device = std::move(device);
    entries_.insert_or_assign(key, std::move(fresh));
    keys_[id] = key;
    removed_devices_.erase(id);
    changed_devices_.insert(id);
    list_identities();
    resolve_all();
}

void Registry::remove_device(const std::string& id) {
    Entry* gone = entry(id);
    if (gone == nullptr) {
        return;
    }
    drop_options(*gone);
    entries_.erase(keys_.at(id));
    keys_.erase(id);
    changed_devices_.erase(id);
    removed_devices_.insert(id);
    list_identities();
    resolve_all();
}

void Registry::set_state(const std::string& id, DeviceState state, std::optional<Message> reason) {
    Entry* found = entry(id);
    if (found != nullptr && (found->device.state != state || found->device.reason != reason)) {
        found->device.state = state;
        found->device.reason = std::move(reason);
        changed_devices_.insert(id);
    }
}

void Registry::set_result(const std::string& id, ScanResult result) {
    Entry* found = entry(id);
    if (found == nullptr) {
        return;
    }
    changed_devices_.insert(id);
    found->device.diagnostics = std::move(result.diagnostics);
    found->device.reason.reset();
    if (auto* options = std::get_if<std::vector<BootOption>>(&result.finding)) {
        found->device.state = DeviceState::found;
        set_options(*found, std::move(*options));
        return;
    }
    drop_options(*found);
    if (auto* container = std::get_if<Container>(&result.finding)) {
        found->device.state = DeviceState::container;
        found->device.reason = std::move(container->reason);
    } else {
        found->device.state = DeviceState::empty;
        found->device.reason = std::move(std::get<Nothing>(result.finding).reason);
    }
}

void Registry::set_failed(const std::string& id, const Message& reason) {
    if (Entry* found = entry(id)) {
        drop_options(*found);
        found->device.diagnostics.clear();
        set_state(id, DeviceState::failed, reason);
    }
}

void Registry::hide(const std::string& option_id) {
    changed_options_.erase(option_id);
    removed_options_.insert(option_id);
}

void Registry::show(const std::string& option_id) {
    removed_options_.erase(option_id);
    changed_options_.insert(option_id);
}

void Registry::drop_options(Entry& entry) {
    for (const auto& held : std::exchange(entry.options, {})) {
        hide(held.option.id);
    }
}

void Registry::set_options(Entry& entry, std::vector<BootOption> options) {
    const std::vector<Held> before = std::exchange(entry.options, {});
    std::set<std::string> ids;
    for (auto& each : options) {
        Held held;
        Option& option = held.option;
        static_cast<BootOption&>(option) = std::move(each);
        option.device_id = entry.record.identity.id;
        option.order = static_cast<std::uint32_t>(entry.options.size());
        // An id that comes twice would hide one of the two from every client.
        const std::string id = option.id;
        for (int copy = 2; !ids.insert(option.id).second; ++copy) {
            option.id = id + "~" + std::to_string(copy);
        }
        entry.options.push_back(std::move(held));
    }
    for (const auto& old : before) {
        hide(old.option.id);
    }
    for (const auto& held : entry.options) {
        show(held.option.id);
    }
    resolve_all();
}

void Registry::list_identities() {
    identities_.clear();
    for (const auto& [key, each] : entries_) {
        identities_.push_back(each.record.identity);
    }
}

Result<const DeviceRecord*> Registry::resolve(const DeviceRef& reference, std::string_view self) const {
    const Entry* own = entry(self);
    const DeviceId nobody;
    const auto found = resolve_device(reference, own == nullptr ? nobody : own->record.identity, identities_);
    if (!found) {
        return found.error();
    }
    return device((*found)->id);
}

void Registry::resolve_all() {
    bool leads_elsewhere = false;
    for (auto& [key, each] : entries_) {
        for (auto& [option, repeated] : each.options) {
            const auto files = resolve_option(option, each.record.identity, identities_);
            const OptionState state = files ? OptionState::ready : OptionState::waiting;
            std::optional<Message> reason;
            if (!files) {
                reason = files.error().message();
            }
            leads_elsewhere = leads_elsewhere || !option.kernel.device.is_self();
            if (state != option.state || reason != option.reason) {
                option.state = state;
                option.reason = std::move(reason);
                if (!repeated) {
                    show(option.id);
                }
            }
        }
    }
    if (leads_elsewhere) {
        hide_repeated();
    }
}

void Registry::hide_repeated() {
    std::vector<ListedOption> listed;
    std::vector<Held*> held;
    for (auto& [key, each] : entries_) {
        for (auto& one : each.options) {
            auto files = resolve_option(one.option, each.record.identity, identities_);
            listed.push_back({&one.option, files ? std::optional(std::move(*files)) : std::nullopt});
            held.push_back(&one);
        }
    }
    const auto repeated = find_repeated_options(listed);
    for (std::size_t i = 0; i < held.size(); ++i) {
        const bool now = repeated[i];
        if (now) {
            hide(held[i]->option.id);
        } else if (held[i]->repeated) {
            show(held[i]->option.id);
        }
        held[i]->repeated = now;
    }
}

std::vector<protocol::Device> Registry::devices() const {
    std::vector<protocol::Device> out;
    for (const auto& [key, each] : entries_) {
        out.push_back(each.device);
    }
    return out;
}

std::vector<Option> Registry::options() const {
    std::vector<Option> out;
    for (const auto& [key, each] : entries_) {
        for (const auto& held : each.options) {
            if (!held.repeated) {
                out.push_back(held.option);
            }
        }
    }
    return out;
}

std::vector<const Option*> Registry::defaults() const {
    std::vector<const Option*> out;
    for (const auto& [key, each] : entries_) {
        const auto chosen = std::find_if(each.options.begin(), each.options.end(),
                                         [](const Held& held) { return held.option.is_default; });
        if (chosen != each.options.end() && !chosen->repeated && chosen->option.state == OptionState::ready) {
            out.push_back(&chosen->option);
        }
    }
    return out;
}

Found Registry::find(std::string_view what) const {
    std::vector<const Option*> titled;
    for (const auto& [key, each] : entries_) {
        for (const auto& [option, repeated] : each.options) {
            if (option.id == what) {
                return &option;
            }
            if (!repeated && (option.title == what || path_title(option) == what)) {
                titled.push_back(&option);
            }
        }
    }
    if (titled.size() == 1) {
        return titled.front();
    }
    Ambiguous ambiguous;
    for (const Option* option : titled) {
        ambiguous.candidates.push_back(option->id);
    }
    return titled.empty() ? Found(NotFound()) : Found(std::move(ambiguous));
}

const DeviceRecord* Registry::device(std::string_view id) const {
    const Entry* found = entry(id);
    return found == nullptr ? nullptr : &found->record;
}

std::vector<const DeviceRecord*> Registry::records() const {
    std::vector<const DeviceRecord*> out;
    for (const auto& [key, each] : entries_) {
        out.push_back(&each.record);
    }
    return out;
}

std::optional<protocol::Change> Registry::take_changes() {
    protocol::Change change;
    for (const auto& [key, each] : entries_) {
        if (changed_devices_.contains(each.device.id)) {
            change.devices.push_back(each.device);
        }
        for (const auto& held : each.options) {
            if (changed_options_.contains(held.option.id)) {
                change.options.push_back(held.option);
            }
        }
    }
    change.devices_removed.assign(removed_devices_.begin(), removed_devices_.end());
    change.options_removed.assign(removed_options_.begin(), removed_options_.end());
    changed_devices_.clear();
    removed_devices_.clear();
    changed_options_.clear();
    removed_options_.clear();
    const bool nothing = change.devices.empty() && change.options.empty() && change.devices_removed.empty() &&
                         change.options_removed.empty();
    return nothing ? std::nullopt : std::optional(std::move(change));
}

}  // namespace stillboot::registry
