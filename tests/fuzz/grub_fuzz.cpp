// SPDX-License-Identifier: Apache-2.0
// Any bytes as a GRUB configuration: evaluated to its end, within its limits, with sane positions.
#include <algorithm>
#include <set>

#include "config/parse/grub/grub.hpp"
#include "tests/config/parse/memory_source.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stillboot;
    std::string text(data, data + size);
    test::MemorySource source;
    auto& files = source.devices.front().files;
    files["/grub.cfg"] = text;
    files["/other.cfg"] = "menuentry o { linux /o $v; }\nv=1\n";
    files["/grubenv"] = "# GRUB Environment Block\nv=1\n";
    files["/loader/entries/a.conf"] = "title a\nlinux /k\noptions $v\n";
    GrubOptions options;
    options.keep_output = true;
    options.limits.steps = 20'000;
    options.limits.loop_rounds = 200;
    options.limits.variable_bytes = 4096;
    options.limits.expansion_bytes = 1 << 20;
    options.limits.output_bytes = 1 << 20;
    options.limits.source_bytes = 1 << 20;
    options.limits.menu_entries = 200;
    const GrubResult result = evaluate_grub(source, "/grub.cfg", options);
    const auto lines = static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    for (const Diagnostic& diagnostic : result.parsed.diagnostics) {
        if (diagnostic.file == "/grub.cfg" && diagnostic.line > lines) {
            __builtin_trap();
        }
        (void)diagnostic.text();
    }
    std::set<std::string> names;
    for (const BootOption& option : result.parsed.options) {
        if (option.kernel.path.empty() == option.kernel.url.empty() || !names.insert(option.id).second) {
            __builtin_trap();
        }
    }
    return 0;
}
