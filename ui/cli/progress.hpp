// SPDX-License-Identifier: Apache-2.0
// How far a hand-over is, as lines.
#pragma once

#include <string>

#include "daemon/protocol/types.hpp"
#include "ui/cli/context.hpp"

namespace stillboot::cli {

/// Prints a line for each new thing, and every five seconds while nothing new happens; bytes that go up are
/// printed at each tenth only. Lifetime: the context outlives it.
class ProgressPrinter {
public:
    explicit ProgressPrinter(const Context& context) : context_(context) {}
    void print(const protocol::Progress& progress);

private:
    const Context& context_;
    std::string last_;
    std::uint64_t last_ms_ = 0;
};

}  // namespace stillboot::cli
