// SPDX-License-Identifier: Apache-2.0
// The tree of a GRUB script. Everything in it points into the text of its Script and lives in an Arena.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace stillboot::grub {

/// One piece of a word: literal text, or a variable by name.
struct Part {
    std::string_view text;
    bool variable = false;
    bool quoted = false;
};

/// A word before expansion. A plain one is its text; any other is the row of its parts.
struct Word {
    std::string_view text;
    std::span<const Part> parts;
    std::uint32_t offset = 0;
    bool plain = true;
    bool quoted = false;  ///< some of it stands in quotes or behind a backslash: no reserved word
    bool glob = false;    ///< holds an unquoted '*' or '?'
};

/// A stretch of a script's text.
struct Range {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
};

struct Node {
    enum class Kind : std::uint8_t { simple, if_else, for_in, while_true, until_true, function };

    Kind kind = Kind::simple;
    bool negated = false;    ///< `! command`
    bool has_block = false;  ///< simple: a block in braces ends the command
    std::uint32_t offset = 0;
    std::span<const Word> words;  ///< simple: the command; for: the variable and its list; function: the name
    Range block;                  ///< between the braces of a block or a function; parsed when it is run
    const Node* condition = nullptr;
    const Node* body = nullptr;
    const Node* otherwise = nullptr;  ///< if: the else branch, or the if of an elif
    const Node* next = nullptr;       ///< the command that follows in the same list
};

}  // namespace stillboot::grub
