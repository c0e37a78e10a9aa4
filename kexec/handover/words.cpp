// SPDX-License-Identifier: Apache-2.0
// Finding words and taking them away; all else stays as it is written.
#include "kexec/handover/words.hpp"

#include <algorithm>

namespace stillboot::handover {
namespace {

bool begins_word(std::string_view command_line, std::size_t at) {
    return at == 0 || command_line[at - 1] == ' ';
}

std::size_t end_of_word(std::string_view command_line, std::size_t at) {
    return std::min(command_line.find_first_of(" \n", at), command_line.size());
}

void take_away(std::string& command_line, std::string_view name) {
    std::size_t at = 0;
    while ((at = command_line.find(name, at)) != std::string::npos) {
        if (!begins_word(command_line, at)) {
            ++at;
            continue;
        }
        const std::size_t end = end_of_word(command_line, at);
        const bool is_last = end == command_line.size();
        const std::size_t begin = at - (is_last && at > 0 ? 1 : 0);  // with one of the blanks beside it
        command_line.erase(begin, end - begin + (is_last ? 0 : 1));
        at = begin;
    }
}

}  // namespace

std::string_view value_of(std::string_view command_line, std::string_view name) {
    std::size_t at = command_line.rfind(name);
    while (at != command_line.npos && !begins_word(command_line, at)) {
        at = at == 0 ? command_line.npos : command_line.rfind(name, at - 1);
    }
    if (at == command_line.npos) {
        return {};
    }
    const std::size_t begin = at + name.size();
    return command_line.substr(begin, end_of_word(command_line, begin) - begin);
}

std::string without_our_words(std::string_view command_line) {
    std::string out(command_line);
    take_away(out, bless_word_name);
    take_away(out, report_word_name);
    return out;
}

}  // namespace stillboot::handover
