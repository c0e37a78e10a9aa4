// SPDX-License-Identifier: Apache-2.0
// Text from outside made safe to show: decoded, neutralised, measured in columns, cut and wrapped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stillboot::menu {

/// What the terminal can show.
enum class Charset { ascii, utf8 };

/// One cell or two of the screen: a character with its combining marks, or what stands for something harmful.
struct Glyph {
    std::string_view bytes;  ///< the part of the text that this shows. Lifetime: that of the text
    std::string shown;       ///< what may go to the terminal
    int columns = 1;         ///< 1 or 2
};

/// Splits a text into what a terminal may be given. Control characters (escape sequences begin with one),
/// invalid UTF-8, and the Unicode characters that reorder or hide text each become one replacement character, so
/// that no title can move the cursor or pose as something else; a tab becomes a space. In ASCII, common
/// punctuation is transliterated and the rest becomes "?". At most four combining marks stay on a character.
/// Widths are wcwidth(3)'s, so a UTF-8 LC_CTYPE must be set for them.
/// Lifetime: `text` must outlive the glyphs.
[[nodiscard]] std::vector<Glyph> glyphs(std::string_view text, Charset charset);

/// The safe form of a text, as glyphs() has it.
[[nodiscard]] std::string neutralise(std::string_view text, Charset charset);

/// Columns that the safe form takes.
[[nodiscard]] int width(std::string_view text, Charset charset);

/// The safe form, cut to at most `columns`; an ellipsis ("…", or ">" in ASCII) ends a text that was cut.
[[nodiscard]] std::string clip(std::string_view text, int columns, Charset charset);

/// The safe form as lines of at most `columns`, broken at spaces where there are some. At least one line.
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, int columns, Charset charset);

/// "40 GB": three significant figures at most, decimal units as disks are sold in. Empty for 0.
[[nodiscard]] std::string human_size(std::uint64_t bytes);

}  // namespace stillboot::menu
