// SPDX-License-Identifier: Apache-2.0
// Changes put together into the state they describe.
#include "ui/menu/mirror.hpp"

#include <algorithm>
#include <tuple>

namespace stillboot::menu {
namespace {

template <class T>
void merge(std::map<std::string, T>& known, const std::vector<T>& changed,
           const std::vector<std::string>& removed) {
    for (const auto& id : removed) {
        known.erase(id);
    }
    for (const auto& item : changed) {
        known.insert_or_assign(item.id, item);
    }
}

void sort_options(std::vector<const protocol::Option*>& list) {
    std::sort(list.begin(), list.end(),
              [](const auto* a, const auto* b) { return std::tie(a->order, a->id) < std::tie(b->order, b->id); });
}

}  // namespace

void Mirror::apply(const protocol::Change& change) {
    if (change.state) {
        state_ = *change.state;
    }
    merge(options_, change.options, change.options_removed);
    merge(devices_, change.devices, change.devices_removed);
    by_device_.clear();
    for (const auto& [id, option] : options_) {
        by_device_.emplace(option.device_id, &option);
    }
    sorted_devices_.clear();
    for (const auto& [id, device] : devices_) {
        sorted_devices_.push_back(&device);
    }
    std::sort(sorted_devices_.begin(), sorted_devices_.end(),
              [](const auto* a, const auto* b) { return std::tie(a->order, a->id) < std::tie(b->order, b->id); });
}

void Mirror::add_log(const std::vector<protocol::LogLine>& lines) {
    for (const auto& line : lines) {
        if (has_log_ && line.seq <= last_log_seq_) {
            continue;
        }
        log_.push_back(line);
        last_log_seq_ = line.seq;
        has_log_ = true;
        if (log_.size() > max_log_lines) {
            log_.pop_front();
        }
    }
}

void Mirror::clear() {
    state_ = {};
    options_.clear();
    devices_.clear();
    by_device_.clear();
    sorted_devices_.clear();
    // The log is told from its beginning on each connection, and a new daemon counts from 0 again.
    log_.clear();
    has_log_ = false;
}

std::vector<const protocol::Option*> Mirror::options_of(const std::string& device) const {
    std::vector<const protocol::Option*> list;
    const auto [first, last] = by_device_.equal_range(device);
    for (auto at = first; at != last; ++at) {
        list.push_back(at->second);
    }
    sort_options(list);
    return list;
}

std::vector<const protocol::Option*> Mirror::orphans() const {
    std::vector<const protocol::Option*> list;
    for (const auto& [device, option] : by_device_) {
        if (!devices_.contains(device)) {
            list.push_back(option);
        }
    }
    sort_options(list);
    return list;
}

const protocol::Option* Mirror::option(const std::string& id) const {
    const auto found = options_.find(id);
    return found == options_.end() ? nullptr : &found->second;
}

const protocol::Device* Mirror::device(const std::string& id) const {
    const auto found = devices_.find(id);
    return found == devices_.end() ? nullptr : &found->second;
}

std::string Mirror::title_of(const std::string& id) const {
    const auto* found = option(id);
    return found == nullptr ? id : found->title;
}

}  // namespace stillboot::menu
