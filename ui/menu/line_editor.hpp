// SPDX-License-Identifier: Apache-2.0
// Editing one long line of text: a cursor over characters, shown wrapped over several rows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ui/menu/key.hpp"
#include "ui/menu/screen.hpp"

namespace stillboot::menu {

/// Bytes that are not shown as they are (control characters, invalid UTF-8) stay in the text untouched until they
/// are deleted. The text never grows past max_bytes by typing.
class LineEditor {
public:
    static constexpr std::size_t max_bytes = 4096;

    LineEditor(std::string text, Charset charset);

    /// Applies a key; false where it means nothing here.
    bool press(const KeyPress& key, int columns);
    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] std::size_t size_bytes() const { return text_.size(); }
    [[nodiscard]] bool changed() const { return text_ != original_; }
    void set_charset(Charset charset);

    struct Rows {
        std::vector<std::string> lines;
        Cursor cursor;       ///< relative to the first line shown
        bool above = false;  ///< lines before the first one shown
        bool below = false;  ///< lines after the last one shown
    };
    /// The rows around the cursor, each of `columns`, at most `rows` of them.
    [[nodiscard]] Rows render(int columns, int rows) const;

private:
    struct Place {
        int row = 0;
        int column = 0;
    };
    void split();
    [[nodiscard]] std::size_t offset(std::size_t index) const;
    void insert(const std::string& piece);
    void erase(std::size_t from, std::size_t to);
    bool move(Key key, int columns);
    bool control(const std::string& letter);
    void vertical(int by, int columns);
    [[nodiscard]] std::size_t word_start() const;
    [[nodiscard]] std::vector<Place> layout(int columns) const;

    std::string text_;
    std::string original_;
    Charset charset_;
    std::vector<std::size_t> lengths_;  ///< bytes of each character
    std::vector<std::string> shown_;
    std::vector<int> widths_;
    std::size_t cursor_ = 0;  ///< before the character of this index
};

inline constexpr int field_margin = 2;

struct DrawnField {
    Cursor cursor;         ///< in the lines that it was drawn behind
    bool clipped = false;  ///< there is more of the text than rows for it
};

/// Draws what is edited as a field behind the lines that are there, with a margin on both sides.
DrawnField draw_field(std::vector<Line>& lines, const LineEditor& editor, const Look& look, int rows);

}  // namespace stillboot::menu
