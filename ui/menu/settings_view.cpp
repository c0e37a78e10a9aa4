// SPDX-License-Identifier: Apache-2.0
// Moving among settings, and drawing them.
#include "ui/menu/settings_view.hpp"

#include <algorithm>

#include "config/parse/settings/value.hpp"
#include "ui/menu/text.hpp"

namespace stillboot::menu {
namespace {

constexpr int widest_value = 30;

}  // namespace

void SettingsView::set(std::vector<protocol::Setting> settings) {
    const std::string key = selected() != nullptr ? selected()->key : "";
    settings_ = std::move(settings);
    const auto same =
        std::find_if(settings_.begin(), settings_.end(), [&](const auto& s) { return s.key == key; });
    selected_ = same != settings_.end() ? static_cast<std::size_t>(same - settings_.begin()) : 0;
}

const protocol::Setting* SettingsView::selected() const {
    return selected_ < settings_.size() ? &settings_[selected_] : nullptr;
}

bool SettingsView::move(Command command) {
    const int last = std::max(static_cast<int>(settings_.size()) - 1, 0);
    int to = static_cast<int>(selected_);
    switch (command) {
        case Command::up: to -= 1; break;
        case Command::down: to += 1; break;
        case Command::page_up: to -= page_; break;
        case Command::page_down: to += page_; break;
        case Command::home: to = 0; break;
        case Command::end: to = last; break;
        default: return false;
    }
    selected_ = static_cast<std::size_t>(std::clamp(to, 0, last));
    return true;
}

void SettingsView::edit(Charset charset) {
    // Of a secret the daemon tells only that there is one.
    editor_.emplace(is_secret(selected()->key) ? "" : selected()->value, charset);
    once_ = false;
}

void SettingsView::press(const KeyPress& key, int columns) {
    editor_->press(key, columns - 2 * field_margin);
}

std::optional<Message> SettingsView::problem() const {
    return check_setting(Settings(), {selected()->key, editor_->text()});
}

int SettingsView::widest_key() const {
    std::size_t widest = 0;
    for (const auto& setting : settings_) {
        widest = std::max(widest, setting.key.size());
    }
    return static_cast<int>(widest);
}

Line SettingsView::draw_row(const protocol::Setting& setting, bool highlighted, int values,
                            const Look& look) const {
    const Role role = highlighted ? Role::selected : setting.any_time ? Role::normal : Role::dim;
    LineBuilder line(look.columns, look.charset, role);
    line.add(highlighted ? (look.charset == Charset::utf8 ? " \u25BA " : " > ") : "   ");
    line.add(setting.key).pad_to(values);
    line.add_clipped(setting.value, widest_value, role).pad_to(values + widest_value + 2);
    line.add(setting.origin);
    return line.take();
}

void SettingsView::draw_list(Drawn& drawn, const Look& look, int rows) {
    page_ = std::max(rows - 1, 1);
    const int at = static_cast<int>(selected_);
    top_ = std::clamp(top_, std::max(at - rows + 1, 0), at);
    const int values = 3 + widest_key() + 2;  // the column behind the pointer and the longest key
    for (int i = top_; i < static_cast<int>(settings_.size()) && i < top_ + rows; ++i) {
        const auto index = static_cast<std::size_t>(i);
        drawn.lines.push_back(draw_row(settings_[index], index == selected_, values, look));
    }
}

void SettingsView::draw_editor(Drawn& drawn, const Look& look, int rows) const {
    const auto add = [&](const std::string& text, Role role, int at_most) {
        const auto lines = wrap(text, std::max(look.columns - 2 * field_margin, 1), look.charset);
        for (int i = 0; i < at_most && i < static_cast<int>(lines.size()); ++i) {
            LineBuilder line(look.columns, look.charset);
            drawn.lines.push_back(line.add("  ").add(lines[static_cast<std::size_t>(i)], role).take());
        }
    };
    add(selected()->key + ", now from: " + selected()->origin, Role::heading, 1);
    drawn.cursor = draw_field(drawn.lines, *editor_, look, std::max(rows - 6, 1)).cursor;
    if (const auto wrong = problem()) {
        add(wrong->sentence(), Role::error, 3);
    } else {
        add(Message(once_ ? "ui.setting_once" : "ui.setting_kept").sentence(), Role::normal, 2);
    }
}

SettingsView::Drawn SettingsView::draw(const Look& look, int rows) {
    Drawn drawn;
    if (editing() && selected() != nullptr) {
        draw_editor(drawn, look, rows);
    } else {
        draw_list(drawn, look, rows);
    }
    return drawn;
}

}  // namespace stillboot::menu
