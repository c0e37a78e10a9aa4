// SPDX-License-Identifier: Apache-2.0
// Any text as a rule file: rules within their bounds, or diagnostics within the text, never both.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/parse/rules/rule_file.hpp"

namespace {

void require(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stillboot;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const ParsedRules parsed = parse_rule_file("fuzz.toml", text);
    const auto lines = static_cast<std::uint32_t>(1 + std::count(text.begin(), text.end(), '\n'));
    require(parsed.rules.empty() || parsed.diagnostics.empty());
    for (const Rule& rule : parsed.rules) {
        require(!rule.name.empty() && !rule.why.empty() && !rule.match_text().empty());
        require(rule.name.find_first_of(" \t\"=[]{}#*") == rule.name.npos);
        require(rule.deadline >= std::chrono::seconds(1) && rule.deadline <= std::chrono::seconds(600));
        require(rule.line >= 1 && rule.line <= lines && !rule.shipped);
    }
    for (const Diagnostic& diagnostic : parsed.diagnostics) {
        require(diagnostic.line <= lines && diagnostic.column <= size + 1 &&
                !diagnostic.message.sentence().empty());
    }
    return 0;
}
