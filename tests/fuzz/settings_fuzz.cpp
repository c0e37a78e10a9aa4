// SPDX-License-Identifier: Apache-2.0
// Any text as a settings file, and, behind a NUL, as a kernel command line.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "config/parse/settings/settings.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stillboot;
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    const std::size_t end = std::min(all.find('\0'), all.size());
    const std::string text(all.substr(0, end));
    const LoadedSettings loaded =
        parse_settings({{{"fuzz.toml", text}}, {}, std::string(all.substr(std::min(end + 1, all.size()))), {}});
    const Settings& settings = loaded.settings;
    const auto within = [](auto value, auto low, auto high) { return value >= low && value <= high; };
    using std::chrono::seconds;
    if (!within(settings.probe_parallel.value, 1U, 64U) ||
        !within(settings.probe_deadline.value, seconds(1), seconds(3600)) ||
        !within(settings.timeout.value.value_or(seconds(0)), seconds(0), seconds(86'400))) {
        __builtin_trap();
    }
    const auto lines = static_cast<std::uint32_t>(1 + std::count(text.begin(), text.end(), '\n'));
    for (const Diagnostic& diagnostic : loaded.diagnostics) {
        if (diagnostic.line > lines || diagnostic.column > size + 1 || diagnostic.message.sentence().empty()) {
            __builtin_trap();
        }
    }
    return 0;
}
