// SPDX-License-Identifier: Apache-2.0
// Lines of progress.
#include "ui/cli/progress.hpp"

#include <fmt/format.h>

namespace stillboot::cli {

void ProgressPrinter::print(const protocol::Progress& progress) {
    std::string how_far;
    if (progress.total > 0 && progress.step == "unbind") {
        how_far = fmt::format(" {}/{}", progress.done, progress.total);
    } else if (progress.total > 0) {
        how_far = fmt::format(" {} %", progress.done * 10 / progress.total * 10);
    }
    std::string text = progress.step + how_far + ": " + progress.message.sentence();
    if (text == last_) {
        return;
    }
    const double seconds = static_cast<double>(progress.elapsed_ms) / 1000.0;
    context_.line(fmt::format("[{:6.2f} s] {}", seconds, text));
    last_ = std::move(text);
}

}  // namespace stillboot::cli
