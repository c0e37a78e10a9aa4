// SPDX-License-Identifier: Apache-2.0
// Makes a tree of a GRUB script, one statement at a time, and goes on after what it cannot understand.
#pragma once

#include <cstdint>
#include <vector>

#include "config/parse/grub/lexer.hpp"
#include "config/parse/grub/syntax.hpp"

namespace stillboot::grub {

struct ParserLimits {
    std::uint32_t nesting_depth = 64;
    std::size_t tree_bytes = 32U << 20;
};

/// Reads one range of a script. After an error it goes on at the end of the line; where a structure never
/// closes, with the line after the one that opened it, so that what stands inside is still read.
class Parser {
public:
    /// Lifetime: script, arena and diagnostics outlive the parser; the tree lives in the arena.
    Parser(const Script& script, Range range, Arena& arena, Diagnostics& diagnostics, const ParserLimits& limits)
        : script_(script),
          arena_(arena),
          diagnostics_(diagnostics),
          limits_(limits),
          lexer_(script, range, arena, diagnostics),
          tree_end_(arena.used() + limits.tree_bytes) {
        words_.reserve(usual_words);
        advance();
    }

    /// The next statement, or null where there is none left. Separators before it are skipped.
    const Node* statement() { return next_statement(); }
    /// True where the first word of the next statement is read and lives in the arena.
    [[nodiscard]] bool holds_word() const { return token_ == Token::word; }
    /// All that is left, as a list.
    const Node* all();

private:
    static constexpr std::size_t usual_words = 16;

    struct List {
        Node* first = nullptr;
        Node* last = nullptr;
        void add(Node* node);
    };
    enum class Keyword : std::uint8_t {
        none,
        if_,
        then,
        elif,
        else_,
        fi,
        for_,
        while_,
        until,
        do_,
        done,
        function
    };

    void advance() { token_ = lexer_.next(); }
    [[nodiscard]] Keyword keyword() const;
    [[nodiscard]] bool too_big() {
        if (gave_up_ || arena_.used() > tree_end_) {
            give_up();
        }
        return gave_up_;
    }
    void give_up();
    void skip_separators();
    void error(std::uint32_t offset, Message message);
    void skip_line();

    Node* next_statement();
    Node* command(Keyword which);
    Node* simple_command();
    Node* if_command();
    Node* for_command();
    Node* loop_command(Keyword which);
    Node* function_command();
    List list();
    bool expect(Keyword wanted, std::string_view opener, std::uint32_t opener_offset);
    Range block(std::uint32_t opener_offset, std::string_view opener);

    const Script& script_;
    Arena& arena_;
    Diagnostics& diagnostics_;
    ParserLimits limits_;
    Lexer lexer_;
    Token token_ = Token::end;
    std::size_t tree_end_;  ///< more than this much of the arena is too much
    std::uint32_t depth_ = 0;
    std::uint32_t restarts_ = 0;
    bool open_at_end_ = false;  ///< a structure of this statement reached the end of the text
    bool gave_up_ = false;
    std::vector<Word> words_;
};

}  // namespace stillboot::grub
