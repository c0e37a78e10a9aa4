// SPDX-License-Identifier: Apache-2.0
// Random GRUB scripts that terminate, print what they do, and ask for nothing that two machines answer
// differently.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace stillboot::test {

class ScriptGenerator {
public:
    explicit ScriptGenerator(std::uint32_t seed) : random_(seed) {}

    /// A whole script, whose last command is `halt`.
    std::string script() {
        std::string out;
        for (int index = 0; index < 3; ++index) {
            const std::string name = "f" + std::to_string(index);
            depth_ = 1;
            in_function_ = true;
            out += "function " + name + " {\n" + statements(3) + "}\n";
            in_function_ = false;
            functions_.push_back(name);
        }
        depth_ = 0;
        for (int index = 0; index < 12; ++index) {
            out += statement();
        }
        // Before the first command $? is empty in GRUB, and 0 here.
        return "true\n" + out + "echo \"end $?\"\nhalt\n";
    }

private:
    std::uint32_t below(std::uint32_t limit) {
        return std::uniform_int_distribution<std::uint32_t>(0, limit - 1)(random_);
    }
    bool chance(std::uint32_t percent) { return below(100) < percent; }
    std::string_view pick(const std::vector<std::string_view>& from) {
        return from[below(static_cast<std::uint32_t>(from.size()))];
    }

    std::string variable() {
        const std::string name(pick({"a", "b", "c", "_d", "e1", "unset_one"}));
        return chance(50) ? "$" + name : "${" + name + "}";
    }
    std::string special() { return std::string(pick({"$?", "$#", "$@", "$*", "$1", "$2", "${1}", "${@}", "$9"})); }

    std::string piece() {
        switch (below(9)) {
            case 0: return "'" + std::string(pick({"x y", "", "$a", "\\", "# no", "a;b", "{}"})) + "'";
            case 1: return "\"" + std::string(pick({"p q", "", "\\$a", "\\\\", "\\\"", "\\n", "; #"})) + "\"";
            case 2:
                return "\"" + std::string(pick({"", "<", " "})) + variable() + std::string(pick({"", ">", " "})) +
                       "\"";
            case 3: return variable();
            case 4: return in_function_ || chance(30) ? special() : variable();
            case 5: return "\"" + (in_function_ ? special() : variable()) + "\"";
            case 6: return std::string(pick({"\\ ", "\\$", "\\\\", "\\'", "\\\"", "\\x", "\\;", "\\#"}));
            default:
                return std::string(
                    pick({"w", "1", "20", "x=y", "-n1", "a.b", "k,l", "if", "done", "x#y", "-", "~"}));
        }
    }
    std::string word() {
        std::string out = piece();
        while (chance(30)) {
            out += piece();
        }
        return out[0] == '#' ? "w" + out : out;
    }
    std::string words(std::uint32_t most) {
        std::string out;
        for (std::uint32_t left = below(most + 1); left > 0; --left) {
            out += (chance(5) ? " \\\n " : chance(10) ? "\t" : " ") + word();
        }
        return out;
    }
    std::string end() { return chance(25) ? " ; " : chance(10) ? " # said\n" : chance(10) ? "\n\n" : "\n"; }

    std::string plain_text() {
        return chance(60) ? "\"" + variable() + "\""
                          : std::string(pick({"x", "y", "1", "20", "''", "'x y'", "abc"}));
    }
    std::string number() { return std::string(pick({"0", "1", "2", "10", "-3", "07", "0x10", "12"})); }
    std::string primary() {
        switch (below(8)) {
            case 0:
                return plain_text() + " " + std::string(pick({"=", "==", "!=", "'<'", "'>'", "'<='", "'>='"})) +
                       " " + plain_text();
            case 1:
                return number() + " " + std::string(pick({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})) + " " +
                       number();
            case 2: return std::string(pick({"-n ", "-z "})) + plain_text();
            case 3:
                return std::string(pick({"-f ", "-d ", "-e "})) +
                       std::string(pick({"/etc/passwd", "/etc", "/nowhere/at/all"}));
            case 4: return "v" + number() + std::string(pick({" -pgt v", " -plt v"})) + number();
            case 5: return condition_depth_ < 2 ? "( " + expression() + " )" : plain_text();
            case 6: return "! " + std::string(pick({"-n ", "-z "})) + plain_text();
            default: return plain_text();
        }
    }
    std::string expression() {
        ++condition_depth_;
        std::string out = primary();
        while (chance(30)) {
            out += std::string(pick({" -a ", " -o "})) + primary();
        }
        --condition_depth_;
        return out;
    }
    std::string condition() {
        switch (below(6)) {
            case 0: return "true";
            case 1: return "false";
            case 2: return "! [ " + expression() + " ]";
            case 3: return "test " + expression();
            default: return "[ " + expression() + " ]";
        }
    }

    std::string statements(std::uint32_t most) {
        std::string out;
        for (std::uint32_t left = 1 + below(most); left > 0; --left) {
            out += statement();
        }
        return out;
    }
    std::string echo() { return "echo \"<\"" + words(4) + " \">\"" + end(); }

    std::string statement() {
        ++depth_;
        const std::string out = depth_ > 4 ? echo() : any_statement();
        --depth_;
        return out;
    }
    std::string any_statement() {
        const std::string name(pick({"a", "b", "c", "_d", "e1"}));
        switch (below(16)) {
            case 0: return name + "=" + word() + end();
            case 1: return "set " + name + "=" + word() + end();
            case 2: return "unset " + name + end();
            case 3: return "if " + condition() + "; then\n" + statements(2) + alternatives() + "fi" + end();
            case 4: return "for " + name + " in" + words(4) + "; do\n" + loop_body(2) + "done" + end();
            case 5: return counted_loop();
            case 6: return functions_.empty() ? echo() : call() + end();
            case 7: return "echo \"s $?\"" + end();
            case 8: return in_function_ ? "shift" + std::string(pick({"", " 1", " 2"})) + end() : echo();
            case 9: return in_function_ ? "setparams" + words(3) + end() : echo();
            case 10:
                return in_function_ && chance(40) ? "return" + std::string(pick({"", " 0", " 1", " 7"})) + end()
                                                  : echo();
            case 11:
                return in_loop_ ? std::string(pick({"break", "continue", "break 2", "continue 2"})) + end()
                                : echo();
            case 12: return condition() + end();
            case 13:
                return "eval echo " +
                       std::string(pick({"a b", "'$a'", "\"\\$b c\"", "'x  y'", "'$1; echo z'", ""})) + end();
            default: return echo();
        }
    }
    std::string alternatives() {
        std::string out;
        if (chance(30)) {
            out += "elif " + condition() + "; then\n" + statements(2);
        }
        return chance(40) ? out + "else\n" + statements(2) : out;
    }
    std::string loop_body(std::uint32_t most) {
        const bool outer = in_loop_;
        in_loop_ = true;
        std::string out = statements(most);
        in_loop_ = outer;
        return out;
    }
    // Each has a counter of its own, lengthened first of all, so that no `continue` keeps it going.
    std::string counted_loop() {
        const std::string counter = "n" + std::to_string(counters_++);
        const bool until = chance(50);
        return counter + "=\n" +
               (until ? "until [ $" + counter + " = xxx ]" : "while [ x$" + counter + " != xxxx ]") + "; do " +
               counter + "=x$" + counter + "\n" + loop_body(2) + "done" + end();
    }
    std::string call() { return std::string(pick(views())) + words(3); }
    std::vector<std::string_view> views() { return {functions_.begin(), functions_.end()}; }

    std::mt19937 random_;
    std::vector<std::string> functions_;
    int depth_ = 0;
    int condition_depth_ = 0;
    int counters_ = 0;
    bool in_function_ = false;
    bool in_loop_ = false;
};

}  // namespace stillboot::test
