// SPDX-License-Identifier: Apache-2.0
// Progress as a page and as lines.
#include "ui/menu/progress_view.hpp"

#include <algorithm>
#include <array>

namespace stillboot::menu {
namespace {

using protocol::Progress;

std::string seconds_words(std::uint64_t milliseconds) {
    return std::to_string(milliseconds / 1000) + "." + std::to_string(milliseconds / 100 % 10) + " s";
}

std::string seconds_column(std::uint64_t milliseconds) {
    const std::string text = seconds_words(milliseconds);
    return std::string(text.size() < 8 ? 8 - text.size() : 0, ' ') + text;
}

// "   1.2 s  unbind 3/19: "
std::string line_head(const Progress& progress) {
    std::string line = seconds_column(progress.elapsed_ms) + "  " + progress.step;
    if (progress.total != 0 && progress.step != "fetch") {
        line += " " + std::to_string(progress.done) + "/" + std::to_string(progress.total);
    }
    return line + ": ";
}

std::string done_words(const Progress& progress) {
    if (progress.total == 0) {
        return {};
    }
    if (progress.step == "fetch") {
        return human_size(progress.done) + " of " + human_size(progress.total);
    }
    return std::to_string(progress.done) + " of " + std::to_string(progress.total);
}

}  // namespace

bool before_commit(const std::string& step) {
    constexpr std::array<std::string_view, 5> harmless = {"fetch", "verify", "measure", "unwrap", "trial-load"};
    return std::find(harmless.begin(), harmless.end(), step) != harmless.end();
}

std::string plain_line(const Progress& progress, Charset charset) {
    return neutralise(line_head(progress) + progress.message.sentence(), charset);
}

std::string live_line(const Progress& progress, const Look& look) {
    const protocol::Active& longest = progress.active.front();  // they stand in the order in which they began
    std::string line = line_head(progress);
    if (progress.left_ms > 0) {
        line += std::to_string((progress.left_ms + 999) / 1000) + " s left at most; ";
    }
    line += longest.device + " (" + longest.driver + ") " + seconds_words(longest.elapsed_ms) +
            (longest.slow ? ", takes long" : "");
    return clip(neutralise(line, look.charset), look.columns - 1, look.charset);
}

bool ProgressView::take(const Progress& progress) {
    if (steps_.empty() || steps_.back().step != progress.step) {
        steps_.push_back(progress);
        return true;
    }
    const bool said = steps_.back().message == progress.message &&
                      (progress.step == "fetch" || steps_.back().done == progress.done);
    steps_.back() = progress;
    return !said;
}

std::vector<Line> ProgressView::draw(const Look& look, int rows) const {
    const bool utf8 = look.charset == Charset::utf8;
    std::vector<Line> lines;
    const std::size_t count = steps_.size();
    const auto room = static_cast<std::size_t>(std::max(rows - 2, 1));
    for (std::size_t i = count > room ? count - room : 0; i < count; ++i) {
        const Progress& step = steps_[i];
        const bool last = i + 1 == count;
        LineBuilder line(look.columns, look.charset);
        line.add(last ? (utf8 ? " \u25BA" : " >") : "  ", Role::attention);
        line.add(seconds_column(step.elapsed_ms) + "  ", Role::dim);
        line.add_clipped(step.step, 11, last ? Role::heading : Role::dim).pad_to(look.columns >= 60 ? 24 : 20);
        lines.push_back(line.add(step.message.sentence(), last ? Role::normal : Role::dim).take());
    }
    if (count > 0 && steps_.back().total != 0) {
        const Progress& step = steps_.back();
        LineBuilder line(look.columns, look.charset);
        line.pad_to(12).add(gauge(step.done, step.total, std::min(40, look.columns / 2 - 6), look.charset),
                            Role::attention);
        lines.push_back(line.add("  ").add(done_words(step)).take());
    }
    while (static_cast<int>(lines.size()) < rows) {
        lines.push_back(LineBuilder(look.columns, look.charset).take());
    }
    lines.resize(static_cast<std::size_t>(rows));
    return lines;
}

}  // namespace stillboot::menu
