// SPDX-License-Identifier: Apache-2.0
// Lines of progress.
#include "ui/cli/progress.hpp"

#include <fmt/format.h>

namespace stillboot::cli {
namespace {

constexpr std::uint64_t longest_silence_ms = 5000;

}  // namespace

void ProgressPrinter::print(const protocol::Progress& progress) {
    std::string how_far;
    if (progress.total > 0 && progress.step == "unbind") {
        how_far = fmt::format(" {}/{}", progress.done, progress.total);
    } else if (progress.total > 0) {
        how_far = fmt::format(" {} %", progress.done * 10 / progress.total * 10);
    }
    std::string text = progress.step + how_far + ": " + progress.message.sentence();
    if (text == last_ && progress.elapsed_ms < last_ms_ + longest_silence_ms) {
        return;
    }
    const double seconds = static_cast<double>(progress.elapsed_ms) / 1000.0;
    const std::string left =
        progress.left_ms == 0 ? "" : fmt::format(" (at most {} s left)", (progress.left_ms + 999) / 1000);
    context_.line(fmt::format("[{:6.2f} s] {}{}", seconds, text, left));
    last_ = std::move(text);
    last_ms_ = progress.elapsed_ms;
}

}  // namespace stillboot::cli
