// SPDX-License-Identifier: Apache-2.0
// Splitting of a kernel command line.
#include "config/parse/settings/kernel_command_line.hpp"

#include <algorithm>

#include "config/base/planted_defect.hpp"

namespace stillboot {
namespace {

constexpr std::string_view white = " \t\n\v\f\r";

std::size_t end_of_word(std::string_view line, std::size_t at) {
    bool quoted = false;
    for (; at < line.size() && (quoted || white.find(line[at]) == white.npos); ++at) {
        quoted = quoted != (line[at] == '"');
    }
    return at;
}

std::string unquoted(std::string_view text) {
    if (!text.empty() && text.front() == '"') {
        text.remove_prefix(1);
        if ((!text.empty() || planted_defect) && text.back() == '"') {
            text.remove_suffix(1);
        }
    }
    return std::string(text);
}

KernelParameter parameter(std::string_view word, std::size_t offset) {
    KernelParameter out;
    out.offset = offset;
    // A quote before the name goes round the whole word.
    const std::string text = unquoted(word);
    const std::size_t equals = text.find('=');
    out.name = text.substr(0, equals);
    if (equals != text.npos) {
        out.has_value = true;
        out.value = unquoted(std::string_view(text).substr(equals + 1));
    }
    return out;
}

}  // namespace

std::vector<KernelParameter> split_kernel_command_line(std::string_view line) {
    std::vector<KernelParameter> out;
    std::size_t at = line.find_first_not_of(white);
    while (at < line.size()) {
        const std::size_t end = end_of_word(line, at);
        const std::string_view word = line.substr(at, end - at);
        if (word == "--") {
            break;
        }
        out.push_back(parameter(word, at));
        at = line.find_first_not_of(white, end);
    }
    return out;
}

}  // namespace stillboot
