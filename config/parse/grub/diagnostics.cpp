// SPDX-License-Identifier: Apache-2.0
// The collection of diagnostics.
#include "config/parse/grub/diagnostics.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace stillboot::grub {

void Diagnostics::report(Severity severity, const Script& script, std::uint32_t offset, Message message) {
    if (full_) {
        return;
    }
    const Position at = script.position(offset);
    add(Diagnostic(severity, script.name(), at.line, at.column, std::move(message)));
}

void Diagnostics::add(Diagnostic diagnostic) {
    if (full_) {
        return;
    }
    std::string key = diagnostic.file + ":" + std::to_string(diagnostic.line) + ":" +
                      std::to_string(diagnostic.column) + ":" + diagnostic.message.code();
    for (const auto& param : diagnostic.message.params()) {
        key += '\0' + param.value;
    }
    if (!seen_.insert(std::move(key)).second) {
        return;
    }
    if (kept_.size() >= limit_) {
        full_ = true;
        diagnostic.severity = Severity::warning;
        diagnostic.message = Message("grub.too_many_diagnostics", {{"limit", std::uint64_t{limit_}}});
    }
    kept_.push_back(std::move(diagnostic));
}

std::vector<Diagnostic> Diagnostics::take() {
    std::map<std::string, std::size_t> first;
    for (const auto& diagnostic : kept_) {
        first.emplace(diagnostic.file, first.size());
    }
    std::stable_sort(kept_.begin(), kept_.end(), [&](const Diagnostic& a, const Diagnostic& b) {
        return std::tuple(first[a.file], a.line, a.column) < std::tuple(first[b.file], b.line, b.column);
    });
    return std::move(kept_);
}

}  // namespace stillboot::grub
