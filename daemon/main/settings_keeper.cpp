// SPDX-License-Identifier: Apache-2.0
// Changing layers, and making the settings of them anew.
#include "daemon/main/settings_keeper.hpp"

#include <algorithm>

#include "config/parse/settings/value.hpp"

namespace stillboot {

SettingsKeeper::SettingsKeeper(SettingsLayers layers)
    : layers_(std::move(layers)), loaded_(parse_settings(layers_)) {}

std::vector<protocol::Setting> SettingsKeeper::list() const {
    std::vector<protocol::Setting> settings;
    for (const SettingView& view : list_settings(now())) {
        protocol::Setting setting;
        setting.key = view.key;
        setting.value = view.value;
        setting.origin = view.origin.text();
        setting.any_time = view.any_time;
        const auto stored = std::find_if(layers_.stored.begin(), layers_.stored.end(),
                                         [&](const SettingText& each) { return each.key == view.key; });
        if (stored != layers_.stored.end()) {
            setting.stored = shown_value(view.key, stored->value);
        }
        settings.push_back(std::move(setting));
    }
    return settings;
}

void SettingsKeeper::apply() {
    loaded_ = parse_settings(layers_);
    changed_();
}

// What is read at the start is not taken from the store: the next start would not have it, and this one has begun.
std::vector<Diagnostic> SettingsKeeper::take(std::vector<SettingText> stored) {
    std::vector<Diagnostic> refused;
    layers_.stored.clear();
    for (SettingText& each : stored) {
        if (auto why = check_setting(now(), each)) {
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

void SettingsKeeper::set(const std::string& key, const std::optional<std::string>& value, bool lasting,
                         Done done) {
    if (const auto why = value ? check_setting(now(), {key, *value}) : check_key(key)) {
        return done(Error(*why));
    }
    if (!lasting) {
        put_text(layers_.this_start, key, value);
        apply();
        return done({});
    }
    booter_->keep_setting(key, value, [this, key, done](const Result<std::vector<SettingText>>& kept) {
        if (!kept) {
            return done(kept.error());
        }
        put_text(layers_.this_start, key, std::nullopt);  // what was said for this start alone would hide it
        (void)take(*kept);  // what of it is not accepted was said when it was first read
        apply();
        done({});
    });
}

}  // namespace stillboot
