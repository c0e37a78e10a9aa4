// SPDX-License-Identifier: Apache-2.0
// Text from outside is made safe to show, and measured.
#include "ui/menu/text.hpp"

#include <doctest/doctest.h>
#include <locale.h>

using stillboot::menu::Charset;
using stillboot::menu::clip;
using stillboot::menu::glyphs;
using stillboot::menu::human_size;
using stillboot::menu::neutralise;
using stillboot::menu::width;
using stillboot::menu::wrap;

namespace {
const bool locale_is_set = ::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;
}

TEST_SUITE("menu") {
    TEST_CASE("escape sequences and control characters of a title never reach the terminal") {
        struct Row {
            const char* name;
            std::string text;
            std::string utf8;
            std::string ascii;
        };
        const Row rows[] = {
            {"clear screen", "a\x1b[2Jb", "a\uFFFD[2Jb", "a?[2Jb"},
            {"operating system command", "\x1b]0;x\x07", "\uFFFD]0;x\uFFFD", "?]0;x?"},
            {"shift out", "\x0e\x0f", "\uFFFD\uFFFD", "??"},
            {"carriage return and newline", "a\r\nb", "a\uFFFD\uFFFDb", "a??b"},
            {"tab", "a\tb", "a b", "a b"},
            {"delete", "\x7f", "\uFFFD", "?"},
            {"NUL", std::string("a\0b", 3), "a\uFFFDb", "a?b"},
            {"C1 as UTF-8 (CSI)",
             "\xc2\x9b"
             "2J",
             "\uFFFD2J", "?2J"},
            {"C1 as a lone byte",
             "\x9b"
             "2J",
             "\uFFFD2J", "?2J"},
            {"overlong slash", "\xc0\xaf", "\uFFFD\uFFFD", "??"},
            {"surrogate", "\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD", "???"},
            {"cut short", "\xe2\x82", "\uFFFD\uFFFD", "??"},
            {"past the last plane", "\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD", "????"},
            {"right-to-left override", "a\u202Eb", "a\uFFFDb", "a?b"},
            {"zero width space", "a\u200Bb", "a\uFFFDb", "a?b"},
        };
        REQUIRE(locale_is_set);
        for (const auto& row : rows) {
            CAPTURE(row.name);
            CHECK(neutralise(row.text, Charset::utf8) == row.utf8);
            CHECK(neutralise(row.text, Charset::ascii) == row.ascii);
        }
    }

    TEST_CASE("no byte below space or of C1 survives, whatever three bytes a text is made of") {
        for (int a = 0; a < 256; a += 3) {
            for (int b = 0; b < 256; ++b) {
                const std::string text = {static_cast<char>(a), static_cast<char>(b), '\x9b'};
                const auto safe = neutralise(text, Charset::utf8);
                const auto again = neutralise(safe, Charset::utf8);
                REQUIRE(safe == again);
                for (const char c : neutralise(text, Charset::ascii)) {
                    REQUIRE((c >= 0x20 && c < 0x7F));
                }
            }
        }
    }

    TEST_CASE("wide characters take two columns, combining marks none") {
        CHECK(width("日本", Charset::utf8) == 4);
        CHECK(width("e\u0301", Charset::utf8) == 1);
        CHECK(width("日本", Charset::ascii) == 2);
        CHECK(neutralise("Système – “x”", Charset::ascii) == "Syst?me - \"x\"");
        CHECK(neutralise("\u0301x", Charset::utf8) == "\uFFFDx");
    }

    TEST_CASE("at most four marks stay on a character, and all its bytes belong to it") {
        std::string text = "o";
        for (int i = 0; i < 50; ++i) {
            text += "\u0301";
        }
        const auto list = glyphs(text, Charset::utf8);
        REQUIRE(list.size() == 1);
        CHECK(list[0].shown == "o\u0301\u0301\u0301\u0301");
        CHECK(list[0].bytes == text);
    }

    TEST_CASE("a cut text ends with an ellipsis and never splits a wide character") {
        CHECK(clip("hello", 5, Charset::utf8) == "hello");
        CHECK(clip("hello!", 5, Charset::utf8) == "hell…");
        CHECK(clip("hello!", 5, Charset::ascii) == "hell>");
        CHECK(clip("日本語", 4, Charset::utf8) == "日…");
        CHECK(clip("日本語", 5, Charset::utf8) == "日本…");
        CHECK(clip("x", 0, Charset::utf8).empty());
    }

    TEST_CASE("wrapping breaks at spaces, and inside a word only where it must") {
        CHECK(wrap("one two three", 7, Charset::utf8) == std::vector<std::string>{"one two", "three"});
        CHECK(wrap("abcdefgh", 3, Charset::utf8) == std::vector<std::string>{"abc", "def", "gh"});
        CHECK(wrap("", 10, Charset::utf8) == std::vector<std::string>{""});
        CHECK(wrap("日本", 1, Charset::utf8) == std::vector<std::string>{"日", "本"});
    }

    TEST_CASE("sizes read as disks are sold") {
        CHECK(human_size(0).empty());
        CHECK(human_size(512) == "512 B");
        CHECK(human_size(1500) == "1.5 kB");
        CHECK(human_size(40'000'000'000) == "40 GB");
        CHECK(human_size(268'435'456) == "268 MB");
        CHECK(human_size(1'920'383'410'176) == "1.9 TB");
        CHECK(human_size(UINT64_MAX) == "18.4 EB");
    }
}
