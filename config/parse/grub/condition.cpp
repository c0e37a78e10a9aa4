// SPDX-License-Identifier: Apache-2.0
// The evaluator of test expressions.
#include "config/parse/grub/condition.hpp"

#include <cstdint>
#include <limits>
#include <string>

namespace stillboot::grub {
namespace {

constexpr int max_nesting = 64;

int digit_of(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

class Expression {
public:
    Expression(std::span<const std::string_view> words, const FileTest& file_test, const TimeTest& time_test)
        : words_(words), file_test_(file_test), time_test_(time_test) {}

    bool whole() { return words_.empty() || either(); }

private:
    [[nodiscard]] bool more() const { return at_ < words_.size(); }
    [[nodiscard]] bool is(std::string_view word) const { return more() && words_[at_] == word; }

    bool either() {
        bool value = both();
        while (is("-o") && at_ + 1 < words_.size()) {
            ++at_;
            const bool other = both();
            value = value || other;
        }
        return value;
    }

    bool both() {
        bool value = one();
        while (more() && !(is("-o") && at_ + 1 < words_.size()) && !(is(")") && nesting_ > 0)) {
            if (is("-a") && at_ + 1 < words_.size()) {
                ++at_;
            }
            const bool other = one();
            value = value && other;
        }
        return value;
    }

    bool one() {
        bool inverted = false;
        while (is("!") && at_ + 1 < words_.size()) {
            inverted = !inverted;
            ++at_;
        }
        return primary() != inverted;
    }

    bool primary() {
        if (at_ + 2 < words_.size()) {
            bool known = true;
            const bool value = binary(words_[at_], words_[at_ + 1], words_[at_ + 2], known);
            if (known) {
                at_ += 3;
                return value;
            }
        }
        const std::string_view word = words_[at_];
        if (at_ + 1 < words_.size() && word.size() == 2 && word[0] == '-') {
            const std::string_view operand = words_[at_ + 1];
            const char operation = word[1];
            if (operation == 'n' || operation == 'z') {
                at_ += 2;
                return operand.empty() == (operation == 'z');
            }
            if (operation == 'd' || operation == 'e' || operation == 'f' || operation == 's') {
                at_ += 2;
                return file_test_(operation, operand);
            }
        }
        if (word == "(" && at_ + 1 < words_.size() && nesting_ < max_nesting) {
            return parenthesis();
        }
        ++at_;
        return !word.empty();
    }

    bool parenthesis() {
        ++at_;
        ++nesting_;
        const bool value = is(")") || either();
        --nesting_;
        if (is(")")) {
            ++at_;
        }
        return value;
    }

    bool binary(std::string_view left, std::string_view operation, std::string_view right, bool& known) {
        if (operation == "=" || operation == "==") {
            return left == right;
        }
        if (operation == "!=") {
            return left != right;
        }
        if (operation == "<" || operation == "<=" || operation == ">" || operation == ">=") {
            const int order = left.compare(right);
            return (operation.size() == 2 && order == 0) || (operation[0] == '<' ? order < 0 : order > 0);
        }
        return numeric(left, operation, right, known);
    }

    bool numeric(std::string_view left, std::string_view operation, std::string_view right, bool& known) {
        if (operation == "-pgt" || operation == "-plt") {
            while (!left.empty() && !right.empty() && left[0] == right[0] && digit_of(left[0]) > 9) {
                left.remove_prefix(1);
                right.remove_prefix(1);
            }
            // Here a sign is no part of a number.
            const long long a = digit_of(left.empty() ? 'x' : left[0]) > 9 ? 0 : number_of(left);
            const long long b = digit_of(right.empty() ? 'x' : right[0]) > 9 ? 0 : number_of(right);
            return operation == "-pgt" ? a > b : a < b;
        }
        if (operation.substr(0, 3) == "-nt" || operation.substr(0, 3) == "-ot") {
            return time_test_(operation.substr(0, 3));
        }
        static constexpr std::string_view operations[] = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
        std::size_t which = 0;
        while (which < std::size(operations) && operations[which] != operation) {
            ++which;
        }
        const long long a = number_of(left);
        const long long b = number_of(right);
        switch (which) {
            case 0: return a == b;
            case 1: return a != b;
            case 2: return a < b;
            case 3: return a <= b;
            case 4: return a > b;
            case 5: return a >= b;
            default: known = false; return false;
        }
    }

    std::span<const std::string_view> words_;
    const FileTest& file_test_;
    const TimeTest& time_test_;
    std::size_t at_ = 0;
    int nesting_ = 0;
};

}  // namespace

bool condition_holds(std::span<const std::string_view> words, const FileTest& file_test,
                     const TimeTest& time_test) {
    return Expression(words, file_test, time_test).whole();
}

long long number_of(std::string_view text) {
    bool negative = false;
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
        negative = text[0] == '-';
        text.remove_prefix(1);
    }
    int base = 10;
    if (text.size() > 1 && text[0] == '0') {
        const bool hex = text[1] == 'x' || text[1] == 'X';
        base = hex ? 16 : 8;
        text.remove_prefix(hex ? 2 : 1);
    }
    long long value = 0;
    for (const char c : text) {
        const int digit = digit_of(c);
        if (digit >= base) {
            break;
        }
        if (value > (std::numeric_limits<long long>::max() - digit) / base) {
            value = std::numeric_limits<long long>::max();
            break;
        }
        value = value * base + digit;
    }
    return negative ? -value : value;
}

}  // namespace stillboot::grub
