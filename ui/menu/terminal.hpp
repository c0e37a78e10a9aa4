// SPDX-License-Identifier: Apache-2.0
// The terminal: a thin layer over ncursesw, which knows terminals.
#pragma once

#include <string>
#include <vector>

#include "config/base/result.hpp"
#include "ui/menu/key.hpp"
#include "ui/menu/screen.hpp"

namespace stillboot::menu {

/// Sets LC_CTYPE from the environment and tells what the terminal can show. An initramfs may hold no locale but
/// C.UTF-8, or none at all: a wish for another UTF-8 locale is met by C.UTF-8, and where no wish is expressed, a
/// Linux console in Unicode mode has UTF-8. Everything else is ASCII.
[[nodiscard]] Charset choose_charset();

/// TERM as the menu takes it: "vt100" where it is not set or says nothing.
[[nodiscard]] std::string terminal_type(const char* term);

/// One at a time in a process, for ncurses is global. Thread: all functions on the same one.
class Terminal {
public:
    /// Takes the terminal on standard input and output.
    /// @param console  it counts as one of the machine, whatever it is
    /// @error ui.no_terminal, ui.terminal_unknown
    static Result<Terminal> open(bool console = false);
    Terminal(Terminal&& other) noexcept;
    Terminal& operator=(Terminal&&) = delete;
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;
    ~Terminal();

    [[nodiscard]] Look look() const;
    void paint(const Screen& screen);
    /// Every key that has come; none where none has. Waits only for the rest of an escape sequence (0.4 s at most,
    /// or $ESCDELAY milliseconds).
    [[nodiscard]] std::vector<KeyPress> read_keys();
    /// Makes the next paint draw everything.
    void redraw();
    /// Takes over the size that the terminal has now (after SIGWINCH).
    void resize();

    /// Gives the screen back for plain lines; keys still come unechoed, from read_plain_keys.
    void leave_for_lines();
    /// Gives the terminal back as it was found, for another program.
    void leave_for_program();
    void enter();
    /// @param passing the next line is written over this one, which fits into a row of the terminal
    void print(const std::string& line, bool passing = false);
    [[nodiscard]] std::vector<KeyPress> read_plain_keys();

private:
    explicit Terminal(Charset charset) : charset_(charset) {}
    Charset charset_;
    bool console_ = false;
    bool owned_ = true;
    bool colours_ = false;
    int passing_columns_ = 0;  ///< of a line that the next one is written over
};

}  // namespace stillboot::menu
