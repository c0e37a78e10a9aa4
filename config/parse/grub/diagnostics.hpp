// SPDX-License-Identifier: Apache-2.0
// Collects what an evaluation has to say: each thing once, and not without end.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "config/model/diagnostic.hpp"
#include "config/parse/grub/script.hpp"

namespace stillboot::grub {

class Diagnostics {
public:
    explicit Diagnostics(std::size_t limit) : limit_(limit) {}

    /// A function's body runs many times and says the same each time: the first is kept.
    void report(Severity severity, const Script& script, std::uint32_t offset, Message message);
    void add(Diagnostic diagnostic);
    /// In the order of lines within each file, files in the order of their first diagnostic.
    [[nodiscard]] std::vector<Diagnostic> take();

private:
    std::size_t limit_;
    bool full_ = false;
    std::vector<Diagnostic> kept_;
    std::unordered_set<std::string> seen_;
};

}  // namespace stillboot::grub
