// SPDX-License-Identifier: Apache-2.0
// The lexer. Its rules were read off grub-emu 2.06 where the manual (section 6.1) leaves them open.
#include "config/parse/grub/lexer.hpp"

#include <array>
#include <cstring>

#include "config/base/planted_defect.hpp"

namespace stillboot::grub {
namespace {

enum CharClass : std::uint8_t {
    ordinary = 0,
    ends_word = 1,  ///< blanks, newline and the reserved characters
    special = 2,    ///< quotes, backslash, dollar: the word is not plain
    wild = 4,
    comment = 8,
    brace = 16,
};

constexpr std::array<std::uint8_t, 256> make_classes() {
    std::array<std::uint8_t, 256> classes{};
    for (const char c : {' ', '\t', '\r', '\n', ';', '|', '&', '<', '>'}) {
        classes[static_cast<unsigned char>(c)] = ends_word;
    }
    for (const char c : {'{', '}'}) {
        classes[static_cast<unsigned char>(c)] = ends_word | brace;
    }
    for (const char c : {'\'', '"', '\\', '$'}) {
        classes[static_cast<unsigned char>(c)] = special;
    }
    classes['*'] = wild;
    classes['?'] = wild;
    classes['#'] = comment;
    return classes;
}
constexpr auto classes = make_classes();

std::uint8_t class_of(char c) {
    return classes[static_cast<unsigned char>(c)];
}

/// The first place from `at` on whose byte is of one of the classes, or the end. Nearly all of a file is passed
/// here.
std::size_t find_class(std::string_view text, std::size_t at, std::uint8_t wanted) {
    while (at < text.size() && (class_of(text[at]) & wanted) == 0) {
        ++at;
    }
    return at;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// How much of a text, behind its dollar sign, names a variable: letters, a number, or one of ? # @ *.
std::size_t name_length(std::string_view text) {
    if (text.empty()) {
        return 0;
    }
    if (std::strchr("?#@*", text[0]) != nullptr && text[0] != '\0') {
        return 1;
    }
    std::size_t length = 0;
    if (is_digit(text[0])) {
        while (length < text.size() && is_digit(text[length])) {
            ++length;
        }
    } else if (is_name_start(text[0])) {
        while ((length < text.size() || planted_defect) &&
               (is_name_start(text[length]) || is_digit(text[length]))) {
            ++length;
        }
    }
    return length;
}

}  // namespace

// A backslash before a newline joins two lines; GRUB takes the pair for nothing at all.
void Lexer::skip_blanks() {
    while (at_ < text_.size()) {
        const char c = text_[at_];
        if (c == ' ' || c == '\t' || c == '\r') {
            ++at_;
        } else if (c == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') {
            at_ += 2;
        } else if (c == '#') {
            at_ = std::min(text_.find('\n', at_), text_.size());
        } else {
            return;
        }
    }
}

Token Lexer::next() {
    skip_blanks();
    start_ = static_cast<std::uint32_t>(at_);
    if (at_ >= text_.size()) {
        return Token::end;
    }
    switch (text_[at_]) {
        case '\n': ++at_; return Token::newline;
        case ';': ++at_; return Token::semicolon;
        case '{': ++at_; return Token::open_brace;
        case '}': ++at_; return Token::close_brace;
        case '|':
        case '&':
        case '<':
        case '>':
            diagnostics_.report(Severity::error, script_, start_,
                                Message("grub.reserved_character", {{"character", text_.substr(at_, 1)}}));
            ++at_;
            return Token::bad;
        default: return read_word() ? Token::word : Token::bad;
    }
}

bool Lexer::read_word() {
    word_ = Word();
    word_.offset = start_;
    parts_.clear();
    std::size_t literal = at_;
    while ((at_ = find_class(text_, at_, ends_word | special | wild)) < text_.size()) {
        const std::uint8_t kind = class_of(text_[at_]);
        if (kind == wild) {
            word_.glob = true;
            ++at_;
        } else if ((kind & ends_word) != 0) {
            break;
        } else {
            add_literal(literal, at_, false);
            const char c = text_[at_];
            bool good = true;
            if (c == '\'') {
                good = read_single_quoted();
            } else if (c == '"') {
                good = read_double_quoted();
            } else if (c == '$') {
                good = read_variable(false);
            } else {
                read_escape();
            }
            if (!good) {
                return false;
            }
            literal = at_;
        }
    }
    if (parts_.empty() && !word_.quoted) {
        word_.text = text_.substr(literal, at_ - literal);
        return true;
    }
    add_literal(literal, at_, false);
    if (parts_.size() == 1 && !parts_[0].variable && !word_.glob) {
        word_.text = parts_[0].text;
        return true;
    }
    word_.plain = false;
    word_.parts = arena_.copy(std::span<const Part>(parts_));
    return true;
}

// An empty quoted string is a part too: it makes an empty word where an unset variable makes none.
void Lexer::add_literal(std::size_t from, std::size_t to, bool quoted) {
    if (to > from || quoted) {
        parts_.push_back({text_.substr(from, to - from), false, quoted});
        word_.quoted = word_.quoted || quoted;
    }
}

bool Lexer::unclosed_quote(std::size_t open) {
    diagnostics_.report(Severity::error, script_, static_cast<std::uint32_t>(open),
                        Message("grub.unclosed_quote", {{"quote", text_.substr(open, 1)}}));
    at_ = std::min(text_.find('\n', open), text_.size());
    return false;
}

bool Lexer::read_single_quoted() {
    const std::size_t open = at_;
    const std::size_t close = text_.find('\'', open + 1);
    if (close == text_.npos) {
        return unclosed_quote(open);
    }
    add_literal(open + 1, close, true);
    at_ = close + 1;
    return true;
}

bool Lexer::read_double_quoted() {
    const std::size_t open = at_++;
    std::size_t literal = at_;
    const std::size_t parts_before = parts_.size();
    while (at_ < text_.size() && text_[at_] != '"') {
        const char c = text_[at_];
        const char after = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
        if (c == '$') {
            if (at_ > literal) {
                add_literal(literal, at_, true);
            }
            if (!read_variable(true)) {
                return false;
            }
            literal = at_;
        } else if (c == '\\' && (after == '"' || after == '\\' || after == '$' || after == '\n')) {
            add_literal(literal, at_, true);
            literal = after == '\n' ? at_ + 2 : at_ + 1;
            at_ += 2;
        } else {
            ++at_;
        }
    }
    if (at_ >= text_.size()) {
        return unclosed_quote(open);
    }
    if (at_ > literal || parts_.size() == parts_before) {
        add_literal(literal, at_, true);
    }
    ++at_;
    return true;
}

void Lexer::read_escape() {
    if (at_ + 1 >= text_.size()) {
        ++at_;
        return;
    }
    if (text_[at_ + 1] != '\n') {
        add_literal(at_ + 1, at_ + 2, true);
    }
    at_ += 2;
}

// `$"…"` marks a text for translation: the dollar sign is nothing.
bool Lexer::read_variable(bool quoted) {
    const std::size_t dollar = at_;
    const std::string_view rest = text_.substr(dollar + 1);
    if (!quoted && rest.substr(0, 1) == "\"") {
        ++at_;
        return true;
    }
    const bool braced = rest.substr(0, 1) == "{";
    const std::size_t length = name_length(rest.substr(braced ? 1 : 0));
    if (length == 0 || (braced && rest.substr(length + 1, 1) != "}")) {
        diagnostics_.report(Severity::error, script_, static_cast<std::uint32_t>(dollar),
                            Message("grub.bad_variable"));
        at_ = std::min(text_.find('\n', dollar), text_.size());
        return false;
    }
    parts_.push_back({rest.substr(braced ? 1 : 0, length), true, quoted});
    at_ = dollar + 1 + length + (braced ? 2 : 0);
    return true;
}

std::size_t Lexer::closing_double(std::size_t from) const {
    while (from < text_.size() && text_[from] != '"') {
        from += text_[from] == '\\' ? 2 : 1;
    }
    return from < text_.size() ? from : text_.npos;
}

// The same rules as next(), without making words: a menu entry's body is read only when it is run.
Range Lexer::skip_block(bool& closed) {
    const auto begin = static_cast<std::uint32_t>(at_);
    std::size_t depth = 1;
    std::size_t escape_end = text_.npos;  // behind a backslash and its byte a word goes on
    const auto word_starts = [&] { return (class_of(text_[at_ - 1]) & ends_word) != 0 && at_ != escape_end; };
    while ((at_ = find_class(text_, at_, special | comment | brace)) < text_.size()) {
        const char c = text_[at_];
        const std::uint8_t kind = class_of(c);
        if (kind == special) {
            const bool word_start = word_starts();
            const bool joined_lines = c == '\\' && text_.substr(at_ + 1, 1) == "\n";
            skip_special();
            escape_end = c == '\\' && !(joined_lines && word_start) ? at_ : text_.npos;
        } else if (kind == comment && word_starts()) {
            at_ = std::min(text_.find('\n', at_), text_.size());
        } else {
            ++at_;
            if (c == '{') {
                ++depth;
            } else if (c == '}' && --depth == 0) {
                closed = true;
                return {begin, static_cast<std::uint32_t>(at_ - 1)};
            }
        }
    }
    at_ = text_.size();
    closed = false;
    return {begin, static_cast<std::uint32_t>(text_.size())};
}

// Behind a quoted text, an escaped byte, or the "${name}" of a variable. A quote that never closes ends with its
// line, as unclosed_quote() has it.
void Lexer::skip_special() {
    const char c = text_[at_];
    if (c == '\\') {
        at_ = std::min(at_ + 2, text_.size());
    } else if (c == '$') {
        const std::size_t length = text_.substr(at_ + 1, 1) == "{" ? name_length(text_.substr(at_ + 2)) : 0;
        at_ += length > 0 && text_.substr(at_ + 2 + length, 1) == "}" ? length + 3 : 1;
    } else {
        const std::size_t close = c == '"' ? closing_double(at_ + 1) : text_.find('\'', at_ + 1);
        at_ = close == text_.npos ? std::min(text_.find('\n', at_), text_.size()) : close + 1;
    }
}

void Lexer::go_to_line_end(std::uint32_t from) {
    at_ = std::min(text_.find('\n', from), text_.size());
}

}  // namespace stillboot::grub
