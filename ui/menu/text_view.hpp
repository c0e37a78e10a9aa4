// SPDX-License-Identifier: Apache-2.0
// A text to read and scroll: details, messages, the log, help.
#pragma once

#include <string>
#include <vector>

#include "ui/menu/key.hpp"
#include "ui/menu/screen.hpp"

namespace stillboot::menu {

/// A text that is wrapped to the screen, with a label in a column of its own before it where it has one.
struct Paragraph {
    Paragraph() = default;
    Paragraph(std::string what, std::string words, Role look = Role::normal)
        : label(std::move(what)), text(std::move(words)), role(look) {}

    std::string label;
    std::string text;
    Role role = Role::normal;
};

class TextView {
public:
    void set(std::vector<Paragraph> paragraphs) { paragraphs_ = std::move(paragraphs); }
    /// Goes to the beginning, or to the end and stays there while the text grows.
    void go_to_start();
    void go_to_end();
    /// Scrolls; false where the command is no movement.
    bool move(Command command);
    /// `rows` lines of the text.
    [[nodiscard]] std::vector<Line> draw(const Look& look, int rows);
    [[nodiscard]] int hidden_above() const { return top_; }
    [[nodiscard]] int hidden_below() const { return below_; }

private:
    std::vector<Paragraph> paragraphs_;
    int top_ = 0;
    int page_ = 1;
    int below_ = 0;
    bool at_end_ = false;
};

}  // namespace stillboot::menu
