// SPDX-License-Identifier: Apache-2.0
// What a screen shows, as a value: lines of safe text with the role that each part plays.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ui/menu/text.hpp"

namespace stillboot::menu {

/// What a part of the screen is for; the terminal layer knows how each looks.
enum class Role {
    normal,
    bar,        ///< the title at the top and the keys at the bottom
    bar_key,    ///< a key in the bar
    heading,    ///< a device, a section
    dim,        ///< what may be skipped
    attention,  ///< what is about to happen
    good,
    warning,
    error,
    selected,
    field,  ///< text that is being edited
};

struct Span {
    std::string text;
    Role role = Role::normal;
};

using Line = std::vector<Span>;

struct Cursor {
    int row = 0;
    int column = 0;
};

/// As many lines as the terminal has rows, each as wide as it has columns.
struct Screen {
    std::vector<Line> lines;
    std::optional<Cursor> cursor;  ///< hidden where there is none

    /// The lines as plain text, without the spaces at their ends.
    [[nodiscard]] std::string text() const;
};

/// Puts one line together from left to right. Text is neutralised and cut here, and nowhere else.
class LineBuilder {
public:
    LineBuilder(int columns, Charset charset, Role base = Role::normal)
        : columns_(columns), charset_(charset), base_(base) {}

    /// Appends a text, cut where the line ends.
    LineBuilder& add(std::string_view text, Role role);
    LineBuilder& add(std::string_view text) { return add(text, base_); }
    /// Appends a text, cut to a number of columns.
    LineBuilder& add_clipped(std::string_view text, int columns, Role role);
    /// Fills with spaces up to a column.
    LineBuilder& pad_to(int column);
    /// Appends a text so that it ends at the right edge, or leaves it out where it does not fit with a space
    /// before it.
    LineBuilder& right(std::string_view text, Role role);
    [[nodiscard]] int left_over() const { return columns_ - used_; }
    /// The line, filled to its width.
    [[nodiscard]] Line take();

private:
    int columns_;
    Charset charset_;
    Role base_;
    int used_ = 0;
    Line line_;
};

/// What the terminal is: its size and what it can show.
struct Look {
    int rows = 24;
    int columns = 80;
    Charset charset = Charset::utf8;
    bool console = false;  ///< of the machine itself, not a pseudo-terminal
};

/// A bar of `columns` cells of which the part done/total is filled.
[[nodiscard]] std::string gauge(std::uint64_t done, std::uint64_t total, int columns, Charset charset);

}  // namespace stillboot::menu
