// SPDX-License-Identifier: Apache-2.0
// Changing layers, and making the settings of them anew.
#include "daemon/main/settings_keeper.hpp"

#include <algorithm>

#include "config/parse/settings/value.hpp"

namespace stillboot {

SettingsKeeper::SettingsKeeper(SettingsLayers layers)
    : layers_(std::move(layers)), settings_(parse_settings(layers_).settings) {}

std::vector<protocol::Setting> SettingsKeeper::list() const {
    std::vector<protocol::Setting> settings;
    for (const SettingView& view : list_settings(settings_)) {
        protocol::Setting setting;
        setting.key = view.key;
        setting.value = view.value;
        setting.origin = view.origin.text();
        setting.any_time = view.any_time;
        const auto stored = std::find_if(layers_.stored.begin(), layers_.stored.end(),
                                         [&](const SettingText& each) { return each.key == view.key; });
        if (stored != layers_.stored.end()) {
            setting.stored = stored->value;
        }
        settings.push_back(std::move(setting));
    }
    return settings;
}

void SettingsKeeper::apply() {
    settings_ = parse_settings(layers_).settings;
    changed_();
}

// What is read at the start is not taken from the store: the next start would not have it, and this one has begun.
std::vector<Diagnostic> SettingsKeeper::take(std::vector<SettingText> stored) {
    std::vector<Diagnostic> refused;
    layers_.stored.clear();
    for (SettingText& each : stored) {
        if (auto why = check_setting(settings_, each)) {
            refused.emplace_back(Severity::warning, "state store", 0, 0, std::move(*why));
        } else {
            layers_.stored.push_back(std::move(each));
        }
    }
    return refused;
}

std::vector<Diagnostic> SettingsKeeper::on_stored(std::vector<SettingText> stored) {
    auto refused = take(std::move(stored));
    if (!layers_.stored.empty()) {
        apply();
    }
    return refused;
}

void SettingsKeeper::say(const std::string& key, const std::optional<std::string>& value) {
    std::erase_if(layers_.this_start, [&](const SettingText& each) { return each.key == key; });
    if (value) {
        layers_.this_start.push_back({key, *value});
    }
}

void SettingsKeeper::set(const std::string& key, const std::optional<std::string>& value, bool lasting,
                         Done done) {
    // To forget is checked, too: with a value that is there already.
    const auto views = list_settings(settings_);
    const auto view = std::find_if(views.begin(), views.end(), [&](const auto& each) { return each.key == key; });
    const std::string current = view != views.end() ? view->value : "";
    if (const auto why = check_setting(settings_, {key, value.value_or(current)})) {
        return done(Error(*why));
    }
    if (!lasting) {
        say(key, value);
        apply();
        return done({});
    }
    booter_->keep_setting(key, value, [this, key, done](const Result<std::vector<SettingText>>& kept) {
        if (!kept) {
            return done(kept.error());
        }
        say(key, std::nullopt);  // what was said for this start alone would hide it
        (void)take(*kept);       // what of it is not accepted was said when it was first read
        apply();
        done({});
    });
}

}  // namespace stillboot
