// SPDX-License-Identifier: Apache-2.0
// Rows of the list, their order and the highlight. How a row looks stands in list_rows.cpp.
#include "ui/menu/list_view.hpp"

#include <algorithm>
#include <set>

namespace stillboot::menu {

using protocol::Device;
using protocol::DeviceState;
using protocol::Option;

void ListView::add_options(const std::vector<const Option*>& options) {
    const std::vector<std::string>* around = nullptr;
    for (const auto* option : options) {
        const std::size_t known = around == nullptr ? 0 : around->size();
        for (std::size_t level = 0; level < option->submenus.size(); ++level) {
            const auto same = [&](std::size_t i) { return i < known && (*around)[i] == option->submenus[i]; };
            bool shown = true;
            for (std::size_t i = 0; i <= level; ++i) {
                shown = shown && same(i);
            }
            if (!shown) {
                rows_.push_back({Kind::submenu, option->id, option->submenus[level], static_cast<int>(level)});
            }
        }
        around = &option->submenus;
        const int depth = static_cast<int>(option->submenus.size());
        rows_.push_back({Kind::option, option->id, "", depth});
        if (option->state == protocol::OptionState::waiting) {
            rows_.push_back({Kind::waiting, option->id, "", depth});
        }
    }
}

void ListView::add_group(const Device* device, const std::vector<const Option*>& options) {
    if (!rows_.empty()) {
        rows_.push_back({});
    }
    rows_.push_back({Kind::device, device == nullptr ? "" : device->id, "", 0});
    add_options(options);
}

void ListView::rebuild(const Mirror& mirror) {
    rows_.clear();
    std::vector<const Device*> others;
    std::set<std::string> parents;
    for (const auto* device : mirror.devices()) {
        parents.insert(device->parent.value_or(""));
        const auto options = mirror.options_of(device->id);
        if (options.empty()) {
            others.push_back(device);
        } else {
            add_group(device, options);
        }
    }
    if (const auto orphans = mirror.orphans(); !orphans.empty()) {
        add_group(nullptr, orphans);
    }
    // A disk that holds nothing but partitions is spoken for by them.
    std::erase_if(others, [&](const Device* device) {
        return device->state == DeviceState::empty && device->diagnostics.empty() && parents.contains(device->id);
    });
    if (!others.empty()) {
        if (!rows_.empty()) {
            rows_.push_back({});
        }
        rows_.push_back({Kind::section, "", "", 0});
    }
    for (const auto* device : others) {
        rows_.push_back({Kind::note, device->id, "", 0});
    }
    keep_selection(mirror);
}

int ListView::find(Kind kind, const std::string& id) const {
    const auto found =
        std::find_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.kind == kind && row.id == id; });
    return found == rows_.end() ? -1 : static_cast<int>(found - rows_.begin());
}

int ListView::nearest(int from, int step) const {
    const int count = static_cast<int>(rows_.size());
    for (int at = from; at >= 0 && at < count; at += step) {
        if (rows_[static_cast<std::size_t>(at)].selectable()) {
            return at;
        }
    }
    return -1;
}

void ListView::keep_selection(const Mirror& mirror) {
    int at = touched_ ? find(selected_kind_, selected_id_) : -1;
    const auto& state = mirror.state();
    if (const auto& first = state.would_boot ? state.would_boot : state.default_option; first && !touched_) {
        at = find(Kind::option, *first);
    }
    if (at < 0) {
        const int last = static_cast<int>(rows_.size()) - 1;
        const int from = touched_ ? std::clamp(selected_, 0, std::max(last, 0)) : 0;
        at = nearest(from, 1);
        at = at < 0 ? nearest(std::min(from, last), -1) : at;
    }
    selected_ = at;
    if (at >= 0) {
        selected_kind_ = rows_[static_cast<std::size_t>(at)].kind;
        selected_id_ = rows_[static_cast<std::size_t>(at)].id;
    }
}

bool ListView::move(Command command) {
    const int last = static_cast<int>(rows_.size()) - 1;
    int to = -1;
    switch (command) {
        case Command::up: to = nearest(selected_ - 1, -1); break;
        case Command::down: to = nearest(selected_ + 1, 1); break;
        case Command::page_up:
            to = nearest(std::max(selected_ - page_, 0), -1);
            to = to < 0 ? nearest(0, 1) : to;
            break;
        case Command::page_down:
            to = nearest(std::min(selected_ + page_, last), 1);
            to = to < 0 ? nearest(last, -1) : to;
            break;
        case Command::home: to = nearest(0, 1); break;
        case Command::end: to = nearest(last, -1); break;
        default: return false;
    }
    touched_ = true;
    if (to >= 0) {
        selected_ = to;
        selected_kind_ = rows_[static_cast<std::size_t>(to)].kind;
        selected_id_ = rows_[static_cast<std::size_t>(to)].id;
    }
    return true;
}

const Option* ListView::selected_option(const Mirror& mirror) const {
    return selected_ >= 0 && selected_kind_ == Kind::option ? mirror.option(selected_id_) : nullptr;
}

const Device* ListView::selected_device(const Mirror& mirror) const {
    return selected_ >= 0 && selected_kind_ == Kind::note ? mirror.device(selected_id_) : nullptr;
}

int ListView::hidden_below() const {
    return std::max(static_cast<int>(rows_.size()) - top_ - page_, 0);
}

void ListView::scroll(int rows) {
    page_ = std::max(rows, 1);
    const int last_top = std::max(static_cast<int>(rows_.size()) - page_, 0);
    // The headings right above the highlight come into sight with it.
    int from = std::max(selected_, 0);
    while (from > 0 && !rows_[static_cast<std::size_t>(from) - 1].selectable() && selected_ - from < page_ - 2) {
        --from;
    }
    top_ = std::min(top_, from);
    top_ = std::max(top_, selected_ - page_ + 1);
    top_ = std::clamp(top_, 0, last_top);
}

std::vector<Line> ListView::draw(const Mirror& mirror, const Look& look, int rows) {
    scroll(rows);
    std::vector<Line> lines;
    for (int i = 0; i < rows; ++i) {
        const int at = top_ + i;
        if (at < static_cast<int>(rows_.size())) {
            lines.push_back(draw_row(rows_[static_cast<std::size_t>(at)], at == selected_, mirror, look));
        } else {
            lines.push_back(LineBuilder(look.columns, look.charset).take());
        }
    }
    return lines;
}

}  // namespace stillboot::menu
