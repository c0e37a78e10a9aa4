// SPDX-License-Identifier: Apache-2.0
// Words become arguments: variables, quoting, splitting at blanks, and file name patterns.
#include "config/parse/grub/evaluator.hpp"

#include <algorithm>

#include "config/parse/grub/glob.hpp"
#include "config/parse/grub/place.hpp"

namespace stillboot::grub {
namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n';
}

bool is_wild(char c) {
    return c == '*' || c == '?';
}

}  // namespace

Arguments Evaluator::expand(const Script& script, std::span<const Word> words, std::string_view block) {
    arguments_.clear();
    for (const Word& word : words) {
        if (word.plain && !word.glob) {
            arguments_.push_back(word.text);
        } else {
            expand_word(script, word);
        }
        if (expansion_bytes_ > limits_.expansion_bytes) {
            give_up(script, word.offset,
                    Message("grub.expansion_too_large", {{"limit", limits_.expansion_bytes}}));
            break;
        }
    }
    if (!block.empty()) {
        arguments_.push_back(block);
    }
    expansion_bytes_ += arguments_.size() * sizeof(std::string_view);
    return scratch_.copy(Arguments(arguments_));
}

void Evaluator::expand_word(const Script& script, const Word& word) {
    if (word.plain) {
        // Nothing but a literal pattern.
        if (!expand_glob(script, word)) {
            arguments_.push_back(word.text);
        }
        return;
    }
    const std::size_t first = arguments_.size();
    bool wild = word.glob;
    word_.clear();
    word_exists_ = false;
    for (const Part& part : word.parts) {
        if (part.variable) {
            const std::size_t before = word_.size();
            append_variable(part);
            wild =
                wild || (!part.quoted &&
                         std::any_of(word_.begin() + static_cast<std::ptrdiff_t>(std::min(before, word_.size())),
                                     word_.end(), is_wild));
        } else {
            word_ += part.text;
            word_exists_ = true;
        }
        if (word_.size() > limits_.variable_bytes) {
            give_up(script, word.offset, Message("grub.word_too_large", {{"limit", limits_.variable_bytes}}));
            return;
        }
    }
    end_word();
    if (wild && arguments_.size() == first + 1) {
        const std::string_view literal = arguments_.back();
        arguments_.pop_back();
        if (!expand_glob(script, word)) {
            arguments_.push_back(literal);
        }
    }
}

void Evaluator::end_word() {
    if (word_exists_) {
        expansion_bytes_ += word_.size();
        arguments_.push_back(scratch_.copy(word_));
    }
    word_.clear();
    word_exists_ = false;
}

// GRUB's splitting: blanks at either end of a value do not end the word that it stands in.
void Evaluator::append_split(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size() && is_blank(text[at])) {
        ++at;
    }
    while (at < text.size()) {
        const std::size_t start = at;
        while (at < text.size() && !is_blank(text[at])) {
            ++at;
        }
        word_ += text.substr(start, at - start);
        word_exists_ = true;
        while (at < text.size() && is_blank(text[at])) {
            ++at;
        }
        if (at < text.size()) {
            end_word();
        }
    }
}

void Evaluator::append_variable(const Part& part) {
    const bool all = part.text == "@" || part.text == "*";
    if (all && parameters_ != nullptr) {
        bool first = true;
        // In quotes it makes a word even of no parameters at all.
        word_exists_ = word_exists_ || part.quoted;
        for (const std::string_view argument : parameters_->arguments) {
            if (!part.quoted && std::all_of(argument.begin(), argument.end(), is_blank)) {
                continue;  // adds nothing, and parts no words either
            }
            if (!first && part.quoted && part.text == "*") {
                word_ += ' ';
            } else if (!first) {
                end_word();
            }
            first = false;
            if (part.quoted) {
                word_ += argument;
                word_exists_ = true;
            } else {
                append_split(argument);
            }
        }
        return;
    }
    std::string space;
    const std::string_view value = variable(part.text, space);
    if (part.quoted) {
        word_ += value;
        word_exists_ = true;
    } else {
        append_split(value);
    }
}

std::string_view Evaluator::variable(std::string_view name, std::string& space) const {
    const char first = name[0];
    if (first == '?') {
        space = std::to_string(status_);
        return space;
    }
    if (first == '#') {
        space = std::to_string(parameters_ == nullptr ? 0 : parameters_->arguments.size());
        return parameters_ == nullptr ? std::string_view() : space;
    }
    if (first >= '0' && first <= '9') {
        std::size_t number = 0;
        for (const char digit : name.substr(0, 6)) {
            number = number * 10 + static_cast<std::size_t>(digit - '0');
        }
        const bool there = parameters_ != nullptr && number >= 1 && number <= parameters_->arguments.size();
        return there ? parameters_->arguments[number - 1] : std::string_view();
    }
    return environment_.get(name);
}

// The pattern of a word: what was quoted stands behind a backslash.
std::string Evaluator::glob_pattern(const Word& word) const {
    if (word.plain) {
        return std::string(word.text);
    }
    std::string pattern;
    std::string space;
    for (const Part& part : word.parts) {
        const std::string_view text = part.variable ? variable(part.text, space) : part.text;
        for (const char c : text) {
            if (part.quoted && (is_wild(c) || c == '\\')) {
                pattern += '\\';
            }
            pattern += c;
        }
    }
    return pattern;
}

// False where the word is no pattern of files, or no file matches: then GRUB takes it as it stands.
bool Evaluator::expand_glob(const Script& script, const Word& word) {
    constexpr std::size_t limit = 1000;
    const std::string pattern = glob_pattern(word);
    const FileName name = split_file_name(pattern);
    const auto device = device_named(name.device.value_or(environment_.get("root")));
    if (name.path.substr(0, 1) != "/" || !device) {
        return false;
    }
    const auto paths = matching_paths(source_, *device, name.path, limit);
    if (paths.size() >= limit) {
        diagnostics_.report(Severity::warning, script, word.offset,
                            Message("grub.too_many_matches", {{"limit", limit}}));
    }
    const std::string prefix = pattern.substr(0, pattern.size() - name.path.size());
    for (const std::string& path : paths) {
        arguments_.push_back(scratch_.copy(prefix + path));
        expansion_bytes_ += prefix.size() + path.size();
    }
    return !paths.empty();
}

int Evaluator::set_variable(const Call& call, std::string_view name, std::string_view value) {
    if (!is_variable_name(name)) {
        report(Severity::warning, call, Message("grub.bad_name", {{"name", name}}));
        return status::bad_argument;
    }
    // GRUB keeps the name of the root device bare, however it is written.
    if (name == "root" && value.size() >= 2 && value.front() == '(' && value.back() == ')') {
        value = value.substr(1, value.size() - 2);
    }
    switch (environment_.set(name, value)) {
        case Environment::Outcome::done: break;
        case Environment::Outcome::too_many:
            give_up(call.script, call.node.offset,
                    Message("grub.too_many_variables", {{"limit", limits_.variables}}));
            break;
        case Environment::Outcome::too_large:
            give_up(call.script, call.node.offset, Message("grub.variable_too_large", {{"name", name}}));
            break;
    }
    return status::ok;
}

}  // namespace stillboot::grub
