// SPDX-License-Identifier: Apache-2.0
// Reading a line byte by byte, so that the terminal's own modes come back whatever is typed.
#include "ui/cli/ask_secret.hpp"

#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "config/base/root.hpp"
#include "daemon/password/hasher.hpp"

namespace stillboot::cli {
namespace {

constexpr char control_c = 0x03;
constexpr char control_d = 0x04;
constexpr char control_u = 0x15;
constexpr char escape = 0x1b;
constexpr char erase = 0x7f;

// No echo, no signals and no lines while it is there.
class Silence {
public:
    Silence() : changed_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
        struct termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
        silent.c_cc[VMIN] = 1;
        silent.c_cc[VTIME] = 0;
        changed_ = changed_ && ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;
    ~Silence() {
        if (changed_) {
            ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
        }
    }

private:
    struct termios before_ = {};
    bool changed_;
};

// False at the end of the input, or where it is left.
bool read_byte(char& byte, bool typed) {
    ssize_t count = 0;
    do {
        count = ::read(STDIN_FILENO, &byte, 1);
    } while (count < 0 && errno == EINTR);
    return count == 1 && !(typed && (byte == control_c || byte == control_d || byte == escape));
}

void rub_out(std::string& line) {
    while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xc0U) == 0x80) {
        line.pop_back();
    }
    if (!line.empty()) {
        line.pop_back();
    }
}

Result<std::string> read_line(std::size_t max_bytes, bool typed) {
    std::string line;
    line.reserve(max_bytes + 1);  // never moved: what would stay behind could not be wiped
    char byte = 0;
    while (read_byte(byte, typed)) {
        if (byte == '\n' || byte == '\r') {
            return line;
        }
        if (typed && (byte == erase || byte == '\b')) {
            rub_out(line);
        } else if (typed && byte == control_u) {
            line.clear();
        } else if (line.size() < max_bytes) {
            line += byte;
        } else {
            password::wipe(line);
            return Error("cli.line_too_long", {{"bytes", std::uint64_t{max_bytes}}});
        }
    }
    if (!typed && !line.empty()) {
        return line;  // the end of the input ends a line, too
    }
    password::wipe(line);
    return Error("cli.nothing_typed");
}

}  // namespace

bool someone_types() {
    return ::isatty(STDIN_FILENO) == 1;
}

Result<std::string> ask_secret(const std::string& prompt, std::size_t max_bytes) {
    if (!someone_types()) {
        return read_line(max_bytes, false);
    }
    const Silence silence;
    (void)write_all(STDERR_FILENO, prompt, "stderr").has_value();  // who cannot see it can still type
    auto line = read_line(max_bytes, true);
    (void)write_all(STDERR_FILENO, "\n", "stderr").has_value();
    return line;
}

}  // namespace stillboot::cli
