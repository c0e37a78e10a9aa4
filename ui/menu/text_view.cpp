// SPDX-License-Identifier: Apache-2.0
// Paragraphs wrapped and scrolled.
#include "ui/menu/text_view.hpp"

#include <algorithm>

namespace stillboot::menu {
namespace {

void lay_out(const Paragraph& paragraph, const Look& look, int label_columns, std::vector<Line>& lines) {
    const bool heading = paragraph.role == Role::heading;
    const int indent = heading ? 1 : 2 + (paragraph.label.empty() ? 0 : label_columns);
    bool first = true;
    for (const auto& text : wrap(paragraph.text, std::max(look.columns - indent - 1, 1), look.charset)) {
        LineBuilder line(look.columns, look.charset);
        if (first && !paragraph.label.empty()) {
            line.add("  ").add_clipped(paragraph.label, label_columns - 1, Role::dim);
        }
        lines.push_back(line.pad_to(indent).add(text, paragraph.role).take());
        first = false;
    }
}

}  // namespace

void TextView::go_to_start() {
    top_ = 0;
    at_end_ = false;
}

void TextView::go_to_end() {
    at_end_ = true;
}

bool TextView::move(Command command) {
    const bool was_at_end = at_end_;
    at_end_ = false;
    switch (command) {
        case Command::up: --top_; break;
        case Command::down: ++top_; break;
        case Command::page_up: top_ -= std::max(page_ - 1, 1); break;
        case Command::page_down: top_ += std::max(page_ - 1, 1); break;
        case Command::home: top_ = 0; break;
        case Command::end: at_end_ = true; break;
        default: at_end_ = was_at_end; return false;
    }
    return true;
}

std::vector<Line> TextView::draw(const Look& look, int rows) {
    const int label_columns = look.columns >= 60 ? 15 : 10;
    std::vector<Line> lines;
    for (const auto& paragraph : paragraphs_) {
        lay_out(paragraph, look, label_columns, lines);
    }
    const int count = static_cast<int>(lines.size());
    const int last = std::max(count - rows, 0);
    page_ = rows;
    top_ = at_end_ ? last : std::clamp(top_, 0, last);
    below_ = std::max(count - top_ - rows, 0);
    lines.erase(lines.begin(), lines.begin() + top_);
    while (static_cast<int>(lines.size()) < rows) {
        lines.push_back(LineBuilder(look.columns, look.charset).take());
    }
    lines.resize(static_cast<std::size_t>(rows));
    return lines;
}

}  // namespace stillboot::menu
