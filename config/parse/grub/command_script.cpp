// SPDX-License-Identifier: Apache-2.0
// The commands of the language itself: variables, flow, conditions, text.
#include <algorithm>

#include "config/parse/grub/condition.hpp"
#include "config/parse/grub/evaluator.hpp"

namespace stillboot::grub {

int Evaluator::do_assignment(const Call& call) {
    const std::string_view text = call.arguments[0];
    const std::size_t equals = text.find('=');
    return set_variable(call, text.substr(0, equals), text.substr(equals + 1));
}

int Evaluator::do_set(const Call& call) {
    if (call.arguments.size() < 2) {
        return status::ok;
    }
    const std::string_view text = call.arguments[1];
    const std::size_t equals = text.find('=');
    if (equals == text.npos) {
        report(Severity::warning, call, Message("grub.not_an_assignment", {{"text", text}}));
        return status::bad_argument;
    }
    return set_variable(call, text.substr(0, equals), text.substr(equals + 1));
}

int Evaluator::do_unset(const Call& call) {
    for (const std::string_view name : call.arguments.subspan(1)) {
        environment_.unset(name);
    }
    return call.arguments.size() < 2 ? status::bad_argument : status::ok;
}

int Evaluator::do_export(const Call& call) {
    for (const std::string_view name : call.arguments.subspan(1)) {
        environment_.export_variable(name);
    }
    return call.arguments.size() < 2 ? status::bad_argument : status::ok;
}

// A break reaches no further than the function that it stands in.
int Evaluator::leave_flow(const Call& call, Flow flow) {
    const auto wanted = call.arguments.size() > 1 ? number_of(call.arguments[1]) : 1;
    if (wanted < 1) {
        return status::bad_argument;
    }
    if (loops_ > 0) {
        flow_ = flow;
        flow_count_ = static_cast<std::uint32_t>(std::min<long long>(wanted, loops_));
    }
    return status::ok;
}

int Evaluator::do_break(const Call& call) {
    return leave_flow(call, Flow::break_loop);
}

int Evaluator::do_continue(const Call& call) {
    return leave_flow(call, Flow::continue_loop);
}

int Evaluator::do_return(const Call& call) {
    if (!in_function_) {
        report(Severity::warning, call, Message("grub.return_outside"));
        return status::bad_argument;
    }
    flow_ = Flow::return_function;
    return call.arguments.size() > 1 ? static_cast<int>(number_of(call.arguments[1]) & 0xFFFFFFFF) : status_;
}

int Evaluator::do_shift(const Call& call) {
    const auto wanted = call.arguments.size() > 1 ? number_of(call.arguments[1]) : 1;
    if (parameters_ == nullptr) {
        return status::ok;
    }
    const auto have = static_cast<long long>(parameters_->arguments.size());
    if (wanted < 0 || wanted > have) {
        return status::bad_argument;
    }
    parameters_->arguments = parameters_->arguments.subspan(static_cast<std::size_t>(wanted));
    return status::ok;
}

// The new parameters outlive this command, so they cannot stay in its memory.
int Evaluator::do_setparams(const Call& call) {
    if (parameters_ == nullptr) {
        return status::ok;
    }
    if (permanent_.used() > limits_.output_bytes) {
        give_up(call.script, call.node.offset, Message("grub.too_much_output", {{"limit", limits_.output_bytes}}));
        return status::failed;
    }
    std::vector<std::string_view> kept;
    for (const std::string_view argument : call.arguments.subspan(1)) {
        kept.push_back(permanent_.copy(argument));
    }
    parameters_->arguments = permanent_.copy(Arguments(kept));
    return status::ok;
}

int Evaluator::do_eval(const Call& call) {
    std::string text;
    for (const std::string_view argument : call.arguments.subspan(1)) {
        text.append(text.empty() ? "" : " ").append(argument);
    }
    source_bytes_ += text.size();
    if (source_bytes_ > limits_.source_bytes) {
        give_up(call.script, call.node.offset, Message("grub.too_much_source", {{"limit", limits_.source_bytes}}));
        return status::failed;
    }
    // Entries and functions that it makes point into the text.
    const Script& script =
        scripts_.emplace_back(call.script.name(), std::move(text), call.script.position(call.node.offset));
    run_script(script, {0, static_cast<std::uint32_t>(script.text().size())});
    return status_;
}

void Evaluator::print(std::string_view text) {
    if (options_.keep_output && result_.output.size() + text.size() <= limits_.variable_bytes) {
        result_.output += text;
    }
}

int Evaluator::do_echo(const Call& call) {
    if (!options_.keep_output) {
        return status::ok;
    }
    bool newline = true;
    bool escapes = false;
    std::size_t first = 1;
    for (; first < call.arguments.size(); ++first) {
        const std::string_view option = call.arguments[first];
        if (option == "--") {
            ++first;
            break;
        }
        if (option.size() < 2 || option[0] != '-' || option.find_first_not_of("ne", 1) != option.npos) {
            break;
        }
        newline = newline && option.find('n') == option.npos;
        escapes = escapes || option.find('e') != option.npos;
    }
    std::string line;
    for (std::size_t at = first; at < call.arguments.size(); ++at) {
        line += at > first ? " " : "";
        const std::string_view text = call.arguments[at];
        for (std::size_t i = 0; i < text.size(); ++i) {
            static constexpr std::string_view letters = "\\abfnrtv";
            static constexpr std::string_view meanings = "\\\a\b\f\n\r\t\v";
            const std::size_t known =
                escapes && text[i] == '\\' && i + 1 < text.size() ? letters.find(text[i + 1]) : letters.npos;
            line += known == letters.npos ? text[i] : meanings[known];
            i += known == letters.npos ? 0 : 1;
        }
    }
    print(line += newline ? "\n" : "");
    return status::ok;
}

int Evaluator::do_true(const Call& /*call*/) {
    return status::ok;
}

int Evaluator::do_false(const Call& /*call*/) {
    return status::failed;
}

int Evaluator::do_test(const Call& call) {
    Arguments words = call.arguments.subspan(1);
    if (call.arguments[0] == "[" && !words.empty() && words.back() == "]") {
        words = words.first(words.size() - 1);
    }
    const FileTest file_test = [&](char operation, std::string_view name) {
        const auto file = open_file(call, name);
        if (!file || !file->url.empty()) {
            return false;
        }
        const auto kind = source_.kind(file->device, file->path.empty() ? "/" : file->path);
        switch (operation) {
            case 'd': return kind == FileSource::Kind::directory;
            case 'f': return kind == FileSource::Kind::file;
            case 's': return kind == FileSource::Kind::file && source_.size(file->device, file->path) > 0;
            default: return kind != FileSource::Kind::missing;
        }
    };
    const TimeTest time_test = [&](std::string_view operation) {
        report(Severity::warning, call, Message("grub.no_file_times", {{"operation", operation}}));
        return false;
    };
    return condition_holds(words, file_test, time_test) ? status::ok : status::failed;
}

// Input from a person, a file's hash, a key that is held: nothing that is known while entries are listed.
int Evaluator::do_unknowable(const Call& call) {
    report(Severity::note, call, Message("grub.unknowable", {{"command", call.arguments[0]}}));
    return status::failed;
}

int Evaluator::do_read(const Call& call) {
    report(Severity::note, call, Message("grub.unknowable", {{"command", call.arguments[0]}}));
    return call.arguments.size() > 1 ? set_variable(call, call.arguments[1], "") : status::ok;
}

int Evaluator::do_cpuid(const Call& /*call*/) {
    return options_.cpu == "x86_64" ? status::ok : status::failed;
}

}  // namespace stillboot::grub
