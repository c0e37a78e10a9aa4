// SPDX-License-Identifier: Apache-2.0
// Cuts the text of a GRUB script into words and separators.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "config/parse/grub/arena.hpp"
#include "config/parse/grub/diagnostics.hpp"
#include "config/parse/grub/script.hpp"
#include "config/parse/grub/syntax.hpp"

namespace stillboot::grub {

enum class Token : std::uint8_t {
    word,
    newline,
    semicolon,
    open_brace,
    close_brace,
    bad,  ///< a character GRUB reserves (| & < >) or a quote that never closes; already reported
    end,
};

/// Reads forward over one range of a script. Braces are tokens wherever they stand unquoted, as grub-emu shows;
/// '#' starts a comment only where a word could start.
class Lexer {
public:
    Lexer(const Script& script, Range range, Arena& arena, Diagnostics& diagnostics)
        : script_(script),
          text_(script.text().substr(0, range.end)),
          at_(range.begin),
          arena_(arena),
          diagnostics_(diagnostics) {}

    /// Moves to the next token.
    Token next();
    /// The word of the last token. Lifetime: the arena's.
    [[nodiscard]] const Word& word() const { return word_; }
    /// Where the last token starts.
    [[nodiscard]] std::uint32_t offset() const { return start_; }
    /// Behind the last token.
    [[nodiscard]] std::uint32_t position() const { return static_cast<std::uint32_t>(at_); }
    /// After open_brace: moves behind the brace that closes it, and gives what stands between. Where none does,
    /// `closed` is false and the range goes to the end.
    Range skip_block(bool& closed);
    /// Moves to the newline that ends the line at a position, so that it is the next token.
    void go_to_line_end(std::uint32_t from);

private:
    void skip_blanks();
    bool read_word();
    bool read_single_quoted();
    bool read_double_quoted();
    bool read_variable(bool quoted);
    void read_escape();
    void add_literal(std::size_t from, std::size_t to, bool quoted);
    bool unclosed_quote(std::size_t open);
    void skip_special();
    std::size_t closing_double(std::size_t from) const;

    const Script& script_;
    std::string_view text_;
    std::size_t at_;
    Arena& arena_;
    Diagnostics& diagnostics_;
    std::uint32_t start_ = 0;
    Word word_;
    std::vector<Part> parts_;
};

}  // namespace stillboot::grub
