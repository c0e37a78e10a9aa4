// SPDX-License-Identifier: Apache-2.0
// Changes put together into the state they describe.
#include "ui/menu/mirror.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

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
    if (change.whole) {
        told_ = Told();
    } else if (aside_) {
        told_ = std::move(*aside_);
    }
    aside_.reset();
    if (change.state) {
        told_.state = *change.state;
    }
    merge(told_.options, change.options, change.options_removed);
    merge(told_.devices, change.devices, change.devices_removed);
    by_device_.clear();
    for (const auto& [id, option] : told_.options) {
        by_device_.emplace(option.device_id, &option);
    }
    sorted_devices_.clear();
    for (const auto& [id, device] : told_.devices) {
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

void Mirror::clear_log() {
    log_.clear();
    has_log_ = false;
}

void Mirror::set_aside() {
    if (!aside_) {
        aside_ = std::exchange(told_, Told());
    }
    by_device_.clear();
    sorted_devices_.clear();
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
        if (!told_.devices.contains(device)) {
            list.push_back(option);
        }
    }
    sort_options(list);
    return list;
}

const protocol::Option* Mirror::option(const std::string& id) const {
    const auto found = told_.options.find(id);
    return found == told_.options.end() ? nullptr : &found->second;
}

const protocol::Device* Mirror::device(const std::string& id) const {
    const auto found = told_.devices.find(id);
    return found == told_.devices.end() ? nullptr : &found->second;
}

std::string Mirror::title_of(const std::string& id) const {
    const auto* found = option(id);
    return found == nullptr ? id : found->title;
}

}  // namespace stillboot::menu
