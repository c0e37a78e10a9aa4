// SPDX-License-Identifier: Apache-2.0
// Decoding by hand rather than mbrtowc(3): the bytes are hostile, and every one of them must stay accounted for.
#include "ui/menu/text.hpp"

#include <wchar.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace stillboot::menu {
namespace {

constexpr char32_t invalid = 0xFFFFFFFF;
constexpr int max_marks = 4;  // ncurses keeps a base character and four marks in a cell (CCHARW_MAX)

struct Decoded {
    char32_t character = invalid;
    std::size_t length = 1;
};

/// One character by RFC 3629: no overlong forms, no surrogates. An invalid byte is one character of its own.
Decoded decode(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) {
        return {lead, 1};
    }
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) {
        return {};
    }
    char32_t character = lead & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) {
            return {};
        }
        character = (character << 6U) | (byte(i) & 0x3FU);
    }
    constexpr std::array<char32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = character >= 0xD800 && character <= 0xDFFF;
    if (character < least[length] || character > 0x10FFFF || surrogate) {
        return {};
    }
    return {character, length};
}

struct Range {
    char32_t first;
    char32_t last;
};

/// Characters that hide themselves or reorder their neighbours (Unicode TR 36, "Bidirectional text spoofing").
bool deceptive(char32_t c) {
    static constexpr Range ranges[] = {{0x00AD, 0x00AD}, {0x061C, 0x061C}, {0x115F, 0x1160}, {0x180E, 0x180E},
                                       {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164},
                                       {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}};
    return std::any_of(std::begin(ranges), std::end(ranges),
                       [&](const Range& r) { return c >= r.first && c <= r.last; });
}

/// Terminals disagree on what a variation selector does to the width of what it follows, so none is passed on.
bool variation_selector(char32_t c) {
    return c >= 0xFE00 && c <= 0xFE0F;
}

std::string_view ascii_for(char32_t c) {
    switch (c) {
        case 0x00A0: return " ";
        case 0x2010:
        case 0x2011:
        case 0x2012:
        case 0x2013:
        case 0x2014: return "-";
        case 0x2018:
        case 0x2019: return "'";
        case 0x201C:
        case 0x201D: return "\"";
        case 0x2026: return ".";
        case 0x00B7:
        case 0x2022: return "*";
        default: return "?";
    }
}

class Splitter {
public:
    explicit Splitter(Charset charset) : charset_(charset) {}

    void add(std::string_view bytes, char32_t c) {
        if (c == '\t') {
            push(bytes, " ", 1);
        } else if (c < 0x20 || c == 0x7F || c == invalid || deceptive(c)) {
            push(bytes, replacement(), 1);
        } else if (c < 0x80) {
            push(bytes, std::string(bytes), 1);
        } else {
            add_wide(bytes, c);
        }
    }
    std::vector<Glyph> take() { return std::move(out_); }

private:
    void add_wide(std::string_view bytes, char32_t c) {
        const int columns = ::wcwidth(static_cast<wchar_t>(c));
        if ((columns == 0 || variation_selector(c)) && !out_.empty()) {
            join(bytes, variation_selector(c));
        } else if (charset_ == Charset::ascii) {
            push(bytes, std::string(ascii_for(c)), 1);
        } else if (columns <= 0) {
            push(bytes, replacement(), 1);
        } else {
            push(bytes, std::string(bytes), columns);
        }
    }

    void push(std::string_view bytes, std::string shown, int columns) {
        out_.push_back({bytes, std::move(shown), columns});
        marks_ = 0;
    }

    void join(std::string_view bytes, bool hide) {
        Glyph& base = out_.back();
        base.bytes = {base.bytes.data(), base.bytes.size() + bytes.size()};
        if (!hide && charset_ == Charset::utf8 && ++marks_ <= max_marks) {
            base.shown += bytes;
        }
    }

    [[nodiscard]] std::string replacement() const { return charset_ == Charset::utf8 ? "\uFFFD" : "?"; }

    Charset charset_;
    std::vector<Glyph> out_;
    int marks_ = 0;
};

std::string_view ellipsis(Charset charset) {
    return charset == Charset::utf8 ? "\u2026" : ">";
}

std::string joined(const std::vector<Glyph>& list, std::size_t from, std::size_t to) {
    std::string out;
    for (std::size_t i = from; i < to; ++i) {
        out += list[i].shown;
    }
    return out;
}

/// The glyph after the last that fits from `from` on: at least one.
std::size_t fitting(const std::vector<Glyph>& list, std::size_t from, int columns) {
    int used = 0;
    std::size_t at = from;
    while (at < list.size() && used + list[at].columns <= columns) {
        used += list[at++].columns;
    }
    return std::max(at, std::min(from + 1, list.size()));
}

}  // namespace

std::vector<Glyph> glyphs(std::string_view text, Charset charset) {
    Splitter splitter(charset);
    while (!text.empty()) {
        const Decoded next = decode(text);
        splitter.add(text.substr(0, next.length), next.character);
        text.remove_prefix(next.length);
    }
    return splitter.take();
}

std::string neutralise(std::string_view text, Charset charset) {
    const auto list = glyphs(text, charset);
    return joined(list, 0, list.size());
}

int width(std::string_view text, Charset charset) {
    int columns = 0;
    for (const auto& glyph : glyphs(text, charset)) {
        columns += glyph.columns;
    }
    return columns;
}

std::string clip(std::string_view text, int columns, Charset charset) {
    const auto list = glyphs(text, charset);
    int total = 0;
    for (const auto& glyph : list) {
        total += glyph.columns;
    }
    if (total <= columns) {
        return joined(list, 0, list.size());
    }
    std::string out;
    int used = 0;
    for (const auto& glyph : list) {
        if (used + glyph.columns > columns - 1) {
            break;
        }
        out += glyph.shown;
        used += glyph.columns;
    }
    return columns > 0 ? out.append(ellipsis(charset)) : std::string();
}

std::vector<std::string> wrap(std::string_view text, int columns, Charset charset) {
    const auto list = glyphs(text, charset);
    std::vector<std::string> lines;
    std::size_t from = 0;
    while (from < list.size()) {
        std::size_t to = fitting(list, from, columns);
        if (to < list.size()) {
            for (std::size_t space = to; space > from; --space) {
                if (list[space].shown == " ") {
                    to = space;
                    break;
                }
            }
        }
        lines.push_back(joined(list, from, to));
        from = to;
        while (from < list.size() && list[from].shown == " ") {
            ++from;
        }
    }
    if (lines.empty()) {
        lines.emplace_back();
    }
    return lines;
}

std::string human_size(std::uint64_t bytes) {
    if (bytes == 0) {
        return {};
    }
    static constexpr std::string_view units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    const bool huge = bytes > UINT64_MAX / 100;
    std::size_t unit = huge ? 1 : 0;
    std::uint64_t tenths = huge ? bytes / 100 : bytes * 10;
    while (tenths >= 10000 && unit + 1 < std::size(units)) {
        tenths = (tenths + 500) / 1000;
        ++unit;
    }
    const bool whole = tenths >= 1000 || tenths % 10 == 0;
    std::string number = std::to_string(whole ? (tenths + 5) / 10 : tenths / 10);
    if (!whole) {
        number += "." + std::to_string(tenths % 10);
    }
    return number + " " + std::string(units[unit]);
}

}  // namespace stillboot::menu
