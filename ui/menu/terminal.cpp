// SPDX-License-Identifier: Apache-2.0
// ncursesw behind the view model's keys, screens and roles.
#include "ui/menu/terminal.hpp"

#include <langinfo.h>
#include <linux/kd.h>
#include <locale.h>
#include <poll.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include "config/base/root.hpp"

#define NCURSES_NOMACROS
#define NCURSES_WIDECHAR 1
#include <ncurses.h>

namespace stillboot::menu {
namespace {

constexpr int escape_delay_ms = 400;  // a console redirected over a network delivers a sequence in pieces

// What comes through a pseudo-terminal comes from a person who was let in by ssh or the like. By the number of the
// device: a name may be missing, and what is not known to be one is a console, for it is those that are guarded.
bool is_console(int fd) {
    constexpr unsigned first_pty = 136;  // Documentation/admin-guide/devices.txt: Unix98 slaves
    constexpr unsigned last_pty = 143;
    struct stat about{};
    const unsigned number = ::fstat(fd, &about) == 0 ? gnu_dev_major(about.st_rdev) : 0;
    return number < first_pty || number > last_pty;
}

bool asks_for_utf8(std::string_view locale) {
    const std::string charset(locale.substr(std::min(locale.find('.'), locale.size() - 1) + 1));
    return ::strncasecmp(charset.c_str(), "UTF-8", 5) == 0 || ::strncasecmp(charset.c_str(), "UTF8", 4) == 0;
}

std::string wished_locale() {
    for (const auto* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        if (const char* value = ::getenv(name); value != nullptr && *value != '\0') {
            return value;
        }
    }
    return {};
}

bool console_in_unicode_mode() {
    int mode = 0;
    return ::ioctl(STDIN_FILENO, KDGKBMODE, &mode) == 0 && mode == K_UNICODE;
}

/// Sequences that terminals send whatever TERM says: firmware consoles seldom match their terminal's description.
void define_usual_keys() {
    struct Sequence {
        const char* text;
        int code;
    };
    static constexpr Sequence sequences[] = {
        {"\033[A", KEY_UP},     {"\033OA", KEY_UP},      {"\033[B", KEY_DOWN},   {"\033OB", KEY_DOWN},
        {"\033[C", KEY_RIGHT},  {"\033OC", KEY_RIGHT},   {"\033[D", KEY_LEFT},   {"\033OD", KEY_LEFT},
        {"\033[H", KEY_HOME},   {"\033OH", KEY_HOME},    {"\033[1~", KEY_HOME},  {"\033[7~", KEY_HOME},
        {"\033[F", KEY_END},    {"\033OF", KEY_END},     {"\033[4~", KEY_END},   {"\033[8~", KEY_END},
        {"\033[3~", KEY_DC},    {"\033[5~", KEY_PPAGE},  {"\033[6~", KEY_NPAGE}, {"\033OP", KEY_F(1)},
        {"\033OQ", KEY_F(2)},   {"\033OR", KEY_F(3)},    {"\033OS", KEY_F(4)},   {"\033[11~", KEY_F(1)},
        {"\033[12~", KEY_F(2)}, {"\033[13~", KEY_F(3)},  {"\033[14~", KEY_F(4)}, {"\033[[A", KEY_F(1)},
        {"\033[[B", KEY_F(2)},  {"\033[[C", KEY_F(3)},   {"\033[[D", KEY_F(4)},  {"\033[[E", KEY_F(5)},
        {"\033[15~", KEY_F(5)}, {"\033[17~", KEY_F(6)},  {"\033[18~", KEY_F(7)}, {"\033[19~", KEY_F(8)},
        {"\033[20~", KEY_F(9)}, {"\033[21~", KEY_F(10)}, {"\033OM", KEY_ENTER},
    };
    for (const auto& sequence : sequences) {
        ::define_key(sequence.text, sequence.code);
    }
}

enum Pair : short {
    pair_bar = 1,
    pair_attention,
    pair_good,
    pair_warning,
    pair_error,
    pair_selected,
    pair_field,
    pair_heading
};

void define_colours() {
    ::start_color();
    ::use_default_colors();
    ::init_pair(pair_bar, COLOR_WHITE, COLOR_BLUE);
    ::init_pair(pair_attention, COLOR_YELLOW, -1);
    ::init_pair(pair_good, COLOR_GREEN, -1);
    ::init_pair(pair_warning, COLOR_YELLOW, -1);
    ::init_pair(pair_error, COLOR_RED, -1);
    ::init_pair(pair_selected, COLOR_BLACK, COLOR_CYAN);
    ::init_pair(pair_field, COLOR_WHITE, COLOR_BLUE);
    ::init_pair(pair_heading, COLOR_CYAN, -1);
}

attr_t colour_of(Role role) {
    const auto pair = [](Pair number) { return static_cast<attr_t>(COLOR_PAIR(number)); };
    switch (role) {
        case Role::bar: return pair(pair_bar);
        case Role::bar_key: return pair(pair_bar) | A_BOLD;
        case Role::heading: return pair(pair_heading) | A_BOLD;
        case Role::dim: return A_DIM;
        case Role::attention: return pair(pair_attention) | A_BOLD;
        case Role::good: return pair(pair_good);
        case Role::warning: return pair(pair_warning);
        case Role::error: return pair(pair_error) | A_BOLD;
        case Role::selected: return pair(pair_selected);
        case Role::field: return pair(pair_field);
        case Role::normal: break;
    }
    return A_NORMAL;
}

attr_t plain_of(Role role) {
    switch (role) {
        case Role::bar: return A_REVERSE;
        case Role::bar_key: return A_REVERSE | A_BOLD;
        case Role::heading:
        case Role::attention:
        case Role::error: return A_BOLD;
        case Role::selected: return A_REVERSE;
        case Role::field: return A_UNDERLINE;
        default: return A_NORMAL;
    }
}

std::optional<Key> named_key(wint_t code) {
    if (code >= KEY_F(1) && code <= KEY_F(10)) {
        return static_cast<Key>(static_cast<int>(Key::f1) + static_cast<int>(code) - KEY_F(1));
    }
    switch (code) {
        case KEY_UP: return Key::up;
        case KEY_DOWN: return Key::down;
        case KEY_LEFT: return Key::left;
        case KEY_RIGHT: return Key::right;
        case KEY_PPAGE: return Key::page_up;
        case KEY_NPAGE: return Key::page_down;
        case KEY_HOME:
        case KEY_FIND: return Key::home;
        case KEY_END:
        case KEY_SELECT: return Key::end;
        case KEY_ENTER: return Key::enter;
        case KEY_BACKSPACE: return Key::backspace;
        case KEY_DC: return Key::erase;
        default: return std::nullopt;
    }
}

std::string encode(wint_t c) {
    std::string out;
    const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | ((c >> shift) & 0x3FU)); };
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xC0U | (c >> 6U));
        tail(0);
    } else if (c < 0x10000) {
        out += static_cast<char>(0xE0U | (c >> 12U));
        tail(6);
        tail(0);
    } else {
        out += static_cast<char>(0xF0U | (c >> 18U));
        tail(12);
        tail(6);
        tail(0);
    }
    return out;
}

std::optional<KeyPress> typed_key(wint_t c) {
    switch (c) {
        case 0: return std::nullopt;  // what an unplugged serial line sends
        case '\r':
        case '\n': return KeyPress{Key::enter, ""};
        case '\t': return KeyPress{Key::tab, ""};
        case '\b':
        case 0x7F: return KeyPress{Key::backspace, ""};
        case 0x1B: return KeyPress{Key::escape, ""};
        default: break;
    }
    if (c < 0x20) {
        const bool letter = c <= 26;
        return letter ? std::optional(KeyPress{Key::control, std::string(1, static_cast<char>('a' + c - 1))})
                      : std::nullopt;
    }
    return c < 0x80 || c >= 0xA0 ? std::optional(KeyPress{Key::character, encode(c)}) : std::nullopt;
}

}  // namespace

Charset choose_charset() {
    const std::string wish = wished_locale();
    const bool set = ::setlocale(LC_CTYPE, "") != nullptr;
    const bool has_utf8 = set && std::string_view(::nl_langinfo(CODESET)) == "UTF-8";
    const bool wants_utf8 = wish.empty() ? console_in_unicode_mode() : asks_for_utf8(wish);
    if (has_utf8 || (wants_utf8 && ::setlocale(LC_CTYPE, "C.UTF-8") != nullptr)) {
        return Charset::utf8;
    }
    ::setlocale(LC_CTYPE, "C");
    return Charset::ascii;
}

std::string terminal_type(const char* term) {
    const std::string_view type = term == nullptr ? "" : term;
    const bool says_nothing = type.empty() || type == "unknown" || type == "dumb" || type == "network";
    return says_nothing ? "vt100" : std::string(type);
}

Result<Terminal> Terminal::open(bool console) {
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
        return Error("ui.no_terminal",
                     {{"what", ::isatty(STDIN_FILENO) == 0 ? "standard input" : "standard output"}});
    }
    Terminal terminal(choose_charset());
    terminal.owned_ = false;
    const std::string type = terminal_type(::getenv("TERM"));
    if (::newterm(type.c_str(), stdout, stdin) == nullptr && ::newterm("vt100", stdout, stdin) == nullptr) {
        return Error("ui.terminal_unknown", {{"term", type}});
    }
    terminal.owned_ = true;
    terminal.console_ = console || is_console(STDIN_FILENO);
    if (::getenv("ESCDELAY") == nullptr) {
        ::set_escdelay(escape_delay_ms);
    }
    ::raw();
    ::noecho();
    ::nonl();
    ::keypad(stdscr, TRUE);
    ::nodelay(stdscr, TRUE);
    ::flushinp();
    define_usual_keys();
    terminal.colours_ = ::has_colors();
    if (terminal.colours_) {
        define_colours();
    }
    return terminal;
}

Terminal::Terminal(Terminal&& other) noexcept
    : charset_(other.charset_),
      console_(other.console_),
      owned_(std::exchange(other.owned_, false)),
      colours_(other.colours_) {}

Terminal::~Terminal() {
    if (owned_) {
        ::curs_set(1);
        ::endwin();
    }
}

Look Terminal::look() const {
    return {getmaxy(stdscr), getmaxx(stdscr), charset_, console_};
}

void Terminal::paint(const Screen& screen) {
    int row = 0;
    for (const auto& line : screen.lines) {
        ::wmove(stdscr, row++, 0);
        for (const auto& span : line) {
            ::wattrset(stdscr, static_cast<int>(colours_ ? colour_of(span.role) : plain_of(span.role)));
            ::waddstr(stdscr, span.text.c_str());
        }
    }
    ::wattrset(stdscr, A_NORMAL);
    ::curs_set(screen.cursor ? 1 : 0);
    if (screen.cursor) {
        ::wmove(stdscr, screen.cursor->row, screen.cursor->column);
    }
    ::wrefresh(stdscr);
}

std::vector<KeyPress> Terminal::read_keys() {
    std::vector<KeyPress> keys;
    wint_t code = 0;
    for (int kind = ::wget_wch(stdscr, &code); kind != ERR; kind = ::wget_wch(stdscr, &code)) {
        if (kind == KEY_CODE_YES) {
            if (const auto key = named_key(code)) {
                keys.push_back({*key, ""});
            }
        } else if (auto press = typed_key(code)) {
            keys.push_back(std::move(*press));
        }
    }
    return keys;
}

void Terminal::redraw() {
    ::clearok(curscr, TRUE);
}

void Terminal::resize() {
    struct winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
        ::resizeterm(size.ws_row, size.ws_col);
    }
    redraw();
}

void Terminal::leave_for_lines() {
    ::endwin();
    // Only the terminal's modes come back, not the screen: keys come one by one and unechoed.
    ::reset_prog_mode();
}

void Terminal::leave_for_program() {
    ::curs_set(1);
    ::endwin();
}

void Terminal::enter() {
    ::reset_prog_mode();
    redraw();
    ::wrefresh(stdscr);
    resize();
}

void Terminal::print(const std::string& line, bool passing) {
    const int columns = width(line, charset_);
    const std::string rest(static_cast<std::size_t>(std::max(passing_columns_ - columns, 0)), ' ');
    passing_columns_ = passing ? columns : 0;
    // A console that is gone leaves nobody to tell.
    (void)write_all(STDOUT_FILENO, "\r" + line + rest + (passing ? "" : "\r\n"), "stdout").has_value();
}

std::vector<KeyPress> Terminal::read_plain_keys() {
    std::array<unsigned char, 64> bytes{};
    const ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    std::vector<KeyPress> keys;
    for (ssize_t i = 0; i < count; ++i) {
        if (auto press = typed_key(bytes[static_cast<std::size_t>(i)])) {
            keys.push_back(std::move(*press));
        }
    }
    return keys;
}

}  // namespace stillboot::menu
