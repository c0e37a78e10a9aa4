// SPDX-License-Identifier: Apache-2.0
// The recursive descent over GRUB's grammar (manual, section 6.1; grub-emu 2.06 where it is silent).
#include "config/parse/grub/parser.hpp"

#include <array>
#include <string>
#include <utility>

namespace stillboot::grub {
namespace {

// A text that leaves structures open again and again is read again as often; this keeps that linear.
constexpr std::uint32_t max_restarts = 16;

}  // namespace

void Parser::List::add(Node* node) {
    if (node == nullptr) {
        return;
    }
    if (first == nullptr) {
        first = node;
    } else {
        last->next = node;
    }
    last = node;
}

Parser::Keyword Parser::keyword() const {
    static constexpr std::array<std::pair<std::string_view, Keyword>, 11> words{{
        {"if", Keyword::if_},
        {"then", Keyword::then},
        {"elif", Keyword::elif},
        {"else", Keyword::else_},
        {"fi", Keyword::fi},
        {"for", Keyword::for_},
        {"while", Keyword::while_},
        {"until", Keyword::until},
        {"do", Keyword::do_},
        {"done", Keyword::done},
        {"function", Keyword::function},
    }};
    const Word& word = lexer_.word();
    if (token_ != Token::word || !word.plain || word.quoted || word.text.size() < 2 || word.text.size() > 8) {
        return Keyword::none;
    }
    for (const auto& [text, which] : words) {
        if (text[0] == word.text[0] && text == word.text) {
            return which;
        }
    }
    return Keyword::none;
}

void Parser::error(std::uint32_t offset, Message message) {
    diagnostics_.report(Severity::error, script_, offset, std::move(message));
}

void Parser::give_up() {
    if (!gave_up_) {
        gave_up_ = true;
        error(lexer_.offset(), Message("grub.statement_too_large"));
    }
    token_ = Token::end;
}

void Parser::skip_separators() {
    while (token_ == Token::newline || token_ == Token::semicolon) {
        advance();
    }
}

void Parser::skip_line() {
    if (token_ != Token::newline && token_ != Token::end) {
        lexer_.go_to_line_end(lexer_.offset());
        advance();
    }
}

Node* Parser::next_statement() {
    while (!gave_up_) {
        skip_separators();
        if (token_ == Token::end) {
            return nullptr;
        }
        const std::uint32_t start = lexer_.offset();
        const Arena::Mark mark = arena_.mark();
        open_at_end_ = false;
        Node* node = command(keyword());
        if (open_at_end_ && !gave_up_ && restarts_ < max_restarts) {
            ++restarts_;
            arena_.release(mark);
            depth_ = 0;
            lexer_.go_to_line_end(start);
            advance();
        } else if (node != nullptr) {
            return node;
        }
    }
    return nullptr;
}

const Node* Parser::all() {
    List nodes;
    while (Node* node = next_statement()) {
        nodes.add(node);
    }
    return nodes.first;
}

// Null where there is nothing to execute; what was wrong is reported by then, and the token moved on.
Node* Parser::command(Keyword which) {
    if (too_big()) {
        return nullptr;
    }
    switch (which) {
        case Keyword::if_: return if_command();
        case Keyword::for_: return for_command();
        case Keyword::while_:
        case Keyword::until: return loop_command(which);
        case Keyword::function: return function_command();
        case Keyword::none: break;
        default:
            error(lexer_.offset(), Message("grub.unexpected", {{"word", lexer_.word().text}}));
            advance();
            return nullptr;
    }
    if (token_ == Token::word) {
        return simple_command();
    }
    if (token_ == Token::bad) {
        skip_line();
    } else {
        error(lexer_.offset(), Message("grub.unexpected", {{"word", token_ == Token::open_brace ? "{" : "}"}}));
        advance();
    }
    return nullptr;
}

Node* Parser::simple_command() {
    Node* node = arena_.make<Node>();
    node->offset = lexer_.offset();
    if (lexer_.word().plain && !lexer_.word().quoted && lexer_.word().text == "!") {
        node->negated = true;
        advance();
    }
    words_.clear();
    while (token_ == Token::word && !too_big()) {
        words_.push_back(lexer_.word());
        advance();
    }
    if (token_ == Token::bad) {
        skip_line();
        return nullptr;
    }
    node->words = arena_.copy(std::span<const Word>(words_));
    if (token_ == Token::open_brace) {
        node->has_block = true;
        node->block = block(node->offset, words_.empty() ? std::string_view("{") : words_[0].text);
    }
    return node->words.empty() ? nullptr : node;
}

Range Parser::block(std::uint32_t opener_offset, std::string_view opener) {
    bool closed = false;
    const Range range = lexer_.skip_block(closed);
    if (!closed) {
        error(opener_offset, Message("grub.unclosed", {{"opener", opener}, {"closer", "}"}}));
        open_at_end_ = true;
    }
    advance();
    return range;
}

// Commands up to a word that ends the structure around them, a closing brace, or the end.
Parser::List Parser::list() {
    List nodes;
    if (depth_ >= limits_.nesting_depth) {
        error(lexer_.offset(), Message("grub.nested_too_deep", {{"limit", limits_.nesting_depth}}));
        gave_up_ = true;
        token_ = Token::end;
        return nodes;
    }
    ++depth_;
    while (true) {
        skip_separators();
        const Keyword which = keyword();
        if (token_ == Token::end || token_ == Token::close_brace || which == Keyword::then ||
            which == Keyword::elif || which == Keyword::else_ || which == Keyword::fi || which == Keyword::do_ ||
            which == Keyword::done) {
            break;
        }
        nodes.add(command(which));
    }
    --depth_;
    return nodes;
}

bool Parser::expect(Keyword wanted, std::string_view opener, std::uint32_t opener_offset) {
    static constexpr std::array<std::string_view, 12> names{"",    "if",    "then",  "elif", "else", "fi",
                                                            "for", "while", "until", "do",   "done", "function"};
    if (keyword() == wanted) {
        advance();
        return true;
    }
    if (!gave_up_) {
        error(opener_offset,
              Message("grub.unclosed", {{"opener", opener}, {"closer", names[static_cast<std::size_t>(wanted)]}}));
    }
    open_at_end_ = open_at_end_ || token_ == Token::end;
    return false;
}

Node* Parser::if_command() {
    Node* node = arena_.make<Node>();
    node->kind = Node::Kind::if_else;
    node->offset = lexer_.offset();
    Node* branch = node;
    advance();
    while (true) {
        branch->condition = list().first;
        if (!expect(Keyword::then, "if", node->offset)) {
            return node;
        }
        branch->body = list().first;
        if (keyword() != Keyword::elif) {
            break;
        }
        Node* other = arena_.make<Node>();
        other->kind = Node::Kind::if_else;
        other->offset = lexer_.offset();
        branch->otherwise = other;
        branch = other;
        advance();
    }
    if (keyword() == Keyword::else_) {
        advance();
        branch->otherwise = list().first;
    }
    (void)expect(Keyword::fi, "if", node->offset);
    return node;
}

Node* Parser::loop_command(Keyword which) {
    Node* node = arena_.make<Node>();
    node->kind = which == Keyword::while_ ? Node::Kind::while_true : Node::Kind::until_true;
    node->offset = lexer_.offset();
    const std::string_view opener = which == Keyword::while_ ? "while" : "until";
    advance();
    node->condition = list().first;
    if (expect(Keyword::do_, opener, node->offset)) {
        node->body = list().first;
        (void)expect(Keyword::done, opener, node->offset);
    }
    return node;
}

Node* Parser::for_command() {
    Node* node = arena_.make<Node>();
    node->kind = Node::Kind::for_in;
    node->offset = lexer_.offset();
    advance();
    words_.clear();
    while (token_ == Token::word && !too_big()) {
        words_.push_back(lexer_.word());
        advance();
    }
    const bool good = words_.size() >= 2 && words_[0].plain && words_[1].plain && words_[1].text == "in";
    if (!good || token_ == Token::bad) {
        if (token_ != Token::bad) {
            error(node->offset, Message("grub.bad_for"));
        }
        skip_line();
        return nullptr;
    }
    words_.erase(words_.begin() + 1);
    node->words = arena_.copy(std::span<const Word>(words_));
    skip_separators();
    if (expect(Keyword::do_, "for", node->offset)) {
        node->body = list().first;
        (void)expect(Keyword::done, "for", node->offset);
    }
    return node;
}

Node* Parser::function_command() {
    Node* node = arena_.make<Node>();
    node->kind = Node::Kind::function;
    node->offset = lexer_.offset();
    advance();
    if (token_ != Token::word || !lexer_.word().plain) {
        error(node->offset, Message("grub.bad_function"));
        skip_line();
        return nullptr;
    }
    node->words = arena_.copy(std::span<const Word>(&lexer_.word(), 1));
    advance();
    skip_separators();
    if (token_ != Token::open_brace) {
        error(node->offset, Message("grub.bad_function"));
        skip_line();
        return nullptr;
    }
    node->block = block(node->offset, "function");
    return node;
}

}  // namespace stillboot::grub
