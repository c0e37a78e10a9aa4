// SPDX-License-Identifier: Apache-2.0
// Any text as a settings file, behind a NUL as a kernel command line, and behind another as what somebody says of
// each setting.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "config/parse/settings/settings.hpp"
#include "config/parse/settings/value.hpp"

namespace {

using namespace stillboot;

void insist(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

// The text up to the next NUL.
std::string take(std::string_view& rest) {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    const std::string text(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return text;
}

void check_bounds(const Settings& settings) {
    const auto within = [](auto value, auto low, auto high) { return value >= low && value <= high; };
    using std::chrono::seconds;
    insist(within(settings.probe_parallel.value, 1U, 64U));
    insist(within(settings.probe_deadline.value, seconds(1), seconds(3600)));
    insist(within(settings.timeout.value.value_or(seconds(0)), seconds(0), seconds(86'400)));
}

// What is accepted is what counts, before everything else.
void check_said(SettingsLayers layers, const Settings& settings, const std::string& value) {
    for (const SettingView& view : list_settings(settings)) {
        const SettingText said{std::string(view.key), value};
        const auto refusal = check_setting(settings, said);
        insist(view.any_time || refusal);
        if (refusal) {
            insist(!refusal->sentence().empty());
            continue;
        }
        layers.this_start = {said};
        insist(origin_of_setting(parse_settings(layers).settings, view.key)->text() == "this start only");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    SettingsLayers layers;
    const std::string text = take(rest);
    layers.files = {{"fuzz.toml", text}};
    layers.command_line = take(rest);
    const std::string value(rest);
    layers.stored = {{"keep", value}};
    const LoadedSettings loaded = parse_settings(layers);
    check_bounds(loaded.settings);
    const auto lines = static_cast<std::uint32_t>(1 + std::count(text.begin(), text.end(), '\n'));
    for (const Diagnostic& diagnostic : loaded.diagnostics) {
        insist(diagnostic.line <= lines && diagnostic.column <= size + 1 &&
               !diagnostic.message.sentence().empty());
    }
    check_said(std::move(layers), loaded.settings, value);
    return 0;
}
