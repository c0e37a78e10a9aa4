// SPDX-License-Identifier: Apache-2.0
// The line editor, with the keys that shells have.
#include "ui/menu/line_editor.hpp"

#include <algorithm>
#include <numeric>

namespace stillboot::menu {

LineEditor::LineEditor(std::string text, Charset charset)
    : text_(std::move(text)), original_(text_), charset_(charset) {
    split();
    cursor_ = lengths_.size();
}

void LineEditor::set_charset(Charset charset) {
    charset_ = charset;
    split();
}

void LineEditor::split() {
    lengths_.clear();
    shown_.clear();
    widths_.clear();
    for (auto& glyph : glyphs(text_, charset_)) {
        lengths_.push_back(glyph.bytes.size());
        shown_.push_back(std::move(glyph.shown));
        widths_.push_back(glyph.columns);
    }
    cursor_ = std::min(cursor_, lengths_.size());
}

std::size_t LineEditor::offset(std::size_t index) const {
    return std::accumulate(lengths_.begin(), lengths_.begin() + static_cast<std::ptrdiff_t>(index),
                           std::size_t{0});
}

void LineEditor::insert(const std::string& piece) {
    if (text_.size() + piece.size() > max_bytes) {
        return;
    }
    const std::size_t at = offset(cursor_) + piece.size();
    text_.insert(at - piece.size(), piece);
    split();
    // A combining mark joins the character before it, so the cursor is found by bytes, not by counting.
    cursor_ = 0;
    for (std::size_t bytes = 0; cursor_ < lengths_.size() && bytes < at; ++cursor_) {
        bytes += lengths_[cursor_];
    }
}

void LineEditor::erase(std::size_t from, std::size_t to) {
    const std::size_t begin = offset(from);
    text_.erase(begin, offset(to) - begin);
    cursor_ = from;
    split();
}

bool LineEditor::press(const KeyPress& key, int columns) {
    switch (key.key) {
        case Key::character: insert(key.text); return true;
        case Key::control: return control(key.text);
        case Key::backspace:
            if (cursor_ > 0) {
                erase(cursor_ - 1, cursor_);
            }
            return true;
        case Key::erase:
            if (cursor_ < lengths_.size()) {
                erase(cursor_, cursor_ + 1);
            }
            return true;
        default: return move(key.key, columns);
    }
}

bool LineEditor::move(Key key, int columns) {
    switch (key) {
        case Key::left: cursor_ -= cursor_ > 0 ? 1 : 0; return true;
        case Key::right: cursor_ += cursor_ < lengths_.size() ? 1 : 0; return true;
        case Key::home: cursor_ = 0; return true;
        case Key::end: cursor_ = lengths_.size(); return true;
        case Key::up: vertical(-1, columns); return true;
        case Key::down: vertical(1, columns); return true;
        default: return false;
    }
}

bool LineEditor::control(const std::string& letter) {
    switch (letter.front()) {
        case 'a': cursor_ = 0; return true;
        case 'e': cursor_ = lengths_.size(); return true;
        case 'b': return move(Key::left, 0);
        case 'f': return move(Key::right, 0);
        case 'd': return press({Key::erase, ""}, 0);
        case 'u': erase(0, cursor_); return true;
        case 'k': erase(cursor_, lengths_.size()); return true;
        case 'w': erase(word_start(), cursor_); return true;
        case 'r':
            text_ = original_;
            split();
            cursor_ = lengths_.size();
            return true;
        default: return false;
    }
}

std::size_t LineEditor::word_start() const {
    std::size_t at = cursor_;
    while (at > 0 && shown_[at - 1] == " ") {
        --at;
    }
    while (at > 0 && shown_[at - 1] != " ") {
        --at;
    }
    return at;
}

/// Where each character stands, and as the last element where the cursor stands after all of them.
std::vector<LineEditor::Place> LineEditor::layout(int columns) const {
    std::vector<Place> places;
    Place at;
    for (const int cells : widths_) {
        if (at.column + cells > columns) {
            at = {at.row + 1, 0};
        }
        places.push_back(at);
        at.column += cells;
    }
    places.push_back(at.column >= columns ? Place{at.row + 1, 0} : at);
    return places;
}

void LineEditor::vertical(int by, int columns) {
    const auto places = layout(std::max(columns, 2));
    const Place from = places[cursor_];
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < places.size(); ++i) {
        if (places[i].row == from.row + by && (!best || places[i].column <= from.column)) {
            best = i;
        }
    }
    cursor_ = best.value_or(by < 0 ? 0 : lengths_.size());
}

LineEditor::Rows LineEditor::render(int columns, int rows) const {
    const auto places = layout(std::max(columns, 2));
    const Place cursor = places[cursor_];
    const int last = places.back().row;
    const int first = std::clamp(cursor.row - rows / 2, 0, std::max(last - rows + 1, 0));
    Rows out;
    const int count = std::min(rows, last - first + 1);
    out.lines.resize(static_cast<std::size_t>(std::max(count, 1)));
    for (std::size_t i = 0; i < shown_.size(); ++i) {
        const int row = places[i].row - first;
        if (row >= 0 && row < count) {
            out.lines[static_cast<std::size_t>(row)] += shown_[i];
        }
    }
    out.cursor = {cursor.row - first, cursor.column};
    out.above = first > 0;
    out.below = first + count <= last;
    return out;
}

DrawnField draw_field(std::vector<Line>& lines, const LineEditor& editor, const Look& look, int rows) {
    const int columns = std::max(look.columns - 2 * field_margin, 2);
    const auto shown = editor.render(columns, rows);
    const int first = static_cast<int>(lines.size());
    for (const auto& text : shown.lines) {
        LineBuilder line(look.columns, look.charset);
        line.pad_to(field_margin).add(text, Role::field);
        const int gap = std::max(columns - width(text, look.charset), 0);
        lines.push_back(line.add(std::string(static_cast<std::size_t>(gap), ' '), Role::field).take());
    }
    return {{first + shown.cursor.row, field_margin + shown.cursor.column}, shown.above || shown.below};
}

}  // namespace stillboot::menu
