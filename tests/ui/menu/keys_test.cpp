// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <locale.h>

#include <set>

#include "ui/menu/key.hpp"
#include "ui/menu/line_editor.hpp"

using stillboot::menu::bindings;
using stillboot::menu::Charset;
using stillboot::menu::Command;
using stillboot::menu::command_for;
using stillboot::menu::Key;
using stillboot::menu::KeyPress;
using stillboot::menu::LineEditor;

namespace {

const bool locale_is_set = ::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;

void type(LineEditor& editor, const std::string& text) {
    for (const char c : text) {
        editor.press({Key::character, std::string(1, c)}, 76);
    }
}

}  // namespace

TEST_SUITE("menu") {
    TEST_CASE("a function key or Enter calls one function, and every function has a letter of its own") {
        std::set<Key> keys;
        std::set<char> letters;
        for (const auto& binding : bindings()) {
            CAPTURE(binding.label);
            if (binding.key != Key::none) {
                CHECK(keys.insert(binding.key).second);
                CHECK(command_for({binding.key, ""}) == binding.command);
            }
            CHECK((binding.command == Command::boot || !binding.letters.empty()));
            for (const char letter : binding.letters) {
                CHECK(letters.insert(letter).second);
                CHECK(command_for({Key::character, std::string(1, letter)}) == binding.command);
            }
        }
    }

    TEST_CASE("the pieces of an escape sequence that a slow line tears apart do nothing") {
        for (const char c : std::string("[O~;0123456789ABCDFHPQRS")) {
            CAPTURE(c);
            CHECK(command_for({Key::character, std::string(1, c)}) == Command::none);
        }
        CHECK(command_for({Key::escape, ""}) == Command::back);
    }

    TEST_CASE("movement has keys of its own and those of vi and less") {
        CHECK(command_for({Key::character, "j"}) == Command::down);
        CHECK(command_for({Key::character, "k"}) == Command::up);
        CHECK(command_for({Key::character, "g"}) == Command::home);
        CHECK(command_for({Key::character, "G"}) == Command::end);
        CHECK(command_for({Key::page_down, ""}) == Command::page_down);
        CHECK(command_for({Key::character, "ä"}) == Command::none);
    }

    TEST_CASE("the editor moves, inserts and deletes by character") {
        REQUIRE(locale_is_set);
        LineEditor editor("a\u00e4日", Charset::utf8);
        editor.press({Key::left, ""}, 76);
        editor.press({Key::character, "x"}, 76);
        CHECK(editor.text() == "aäx日");
        editor.press({Key::backspace, ""}, 76);
        editor.press({Key::backspace, ""}, 76);
        CHECK(editor.text() == "a日");
        editor.press({Key::erase, ""}, 76);
        CHECK(editor.text() == "a");
        editor.press({Key::home, ""}, 76);
        editor.press({Key::left, ""}, 76);
        editor.press({Key::character, "日"}, 76);
        CHECK(editor.text() == "日a");
        CHECK(editor.render(76, 1).cursor.column == 2);
    }

    TEST_CASE("the editor has the control keys of shells, and one that undoes everything") {
        LineEditor editor("root=/dev/sda1 ro quiet", Charset::utf8);
        editor.press({Key::control, "w"}, 76);
        CHECK(editor.text() == "root=/dev/sda1 ro ");
        editor.press({Key::control, "a"}, 76);
        type(editor, "x ");
        CHECK(editor.text() == "x root=/dev/sda1 ro ");
        editor.press({Key::control, "k"}, 76);
        CHECK(editor.text() == "x ");
        editor.press({Key::control, "u"}, 76);
        CHECK(editor.text().empty());
        CHECK(editor.changed());
        editor.press({Key::control, "r"}, 76);
        CHECK(editor.text() == "root=/dev/sda1 ro quiet");
        CHECK_FALSE(editor.changed());
    }

    TEST_CASE("bytes that cannot be shown stay in the text") {
        LineEditor editor("a=\x1b\xff b", Charset::ascii);
        CHECK(editor.render(76, 1).lines.front() == "a=?? b");
        type(editor, "c");
        CHECK(editor.text() == "a=\x1b\xff bc");
    }

    TEST_CASE("a combining mark that is typed joins its character, and the cursor stays behind it") {
        LineEditor editor("e", Charset::utf8);
        editor.press({Key::character, "\u0301"}, 76);
        editor.press({Key::character, "x"}, 76);
        CHECK(editor.text() == "e\u0301x");
        editor.press({Key::left, ""}, 76);
        editor.press({Key::backspace, ""}, 76);
        CHECK(editor.text() == "x");
    }

    TEST_CASE("a long line wraps, scrolls with the cursor, and up and down go by rows") {
        LineEditor editor(std::string(25, 'a') + std::string(25, 'b'), Charset::utf8);
        auto rows = editor.render(10, 2);
        CHECK(rows.lines == std::vector<std::string>{"bbbbbbbbbb", ""});
        CHECK(rows.cursor.row == 1);
        CHECK(rows.above);
        CHECK_FALSE(rows.below);
        editor.press({Key::home, ""}, 10);
        rows = editor.render(10, 2);
        CHECK(rows.lines == std::vector<std::string>{"aaaaaaaaaa", "aaaaaaaaaa"});
        CHECK_FALSE(rows.above);
        CHECK(rows.below);
        editor.press({Key::right, ""}, 10);
        editor.press({Key::down, ""}, 10);
        type(editor, "X");
        CHECK(editor.text().find('X') == 11);
        editor.press({Key::up, ""}, 10);
        editor.press({Key::up, ""}, 10);
        type(editor, "Y");
        CHECK(editor.text().front() == 'Y');
    }

    TEST_CASE("typing stops at the limit, whatever the size of a character") {
        LineEditor editor(std::string(LineEditor::max_bytes - 1, 'a'), Charset::utf8);
        editor.press({Key::character, "日"}, 76);
        CHECK(editor.size_bytes() == LineEditor::max_bytes - 1);
        type(editor, "bb");
        CHECK(editor.size_bytes() == LineEditor::max_bytes);
    }
}
