// SPDX-License-Identifier: Apache-2.0
// Control flow: lists, conditions, loops, functions, and the bounds on all of them.
#include "config/parse/grub/evaluator.hpp"

#include <utility>

namespace stillboot::grub {

void Evaluator::report(Severity severity, const Call& call, Message message) {
    diagnostics_.report(severity, call.script, call.node.offset, std::move(message));
}

void Evaluator::give_up(const Script& script, std::uint32_t offset, Message message) {
    if (flow_ != Flow::stop) {
        diagnostics_.report(Severity::error, script, offset, std::move(message));
        flow_ = Flow::stop;
    }
}

bool Evaluator::count_step(const Script& script, const Node& node) {
    if (++steps_ <= limits_.steps) {
        return true;
    }
    give_up(script, node.offset, Message("grub.too_many_steps", {{"limit", limits_.steps}}));
    return false;
}

// A statement's tree lives only as long as it runs.
void Evaluator::run_script(const Script& script, Range range) {
    if (depth_ >= limits_.source_depth) {
        diagnostics_.report(Severity::error, script, range.begin,
                            Message("grub.source_too_deep", {{"limit", limits_.source_depth}}));
        return;
    }
    ++depth_;
    ParserLimits parser_limits;
    parser_limits.nesting_depth = limits_.nesting_depth;
    const Arena::Mark start = scratch_.mark();
    Parser parser(script, range, scratch_, diagnostics_, parser_limits);
    while (flow_ == Flow::go_on) {
        const Node* node = parser.statement();
        if (node == nullptr) {
            break;
        }
        run_node(script, *node);
        // A word that the parser has read ahead lives in the same memory.
        if (!parser.holds_word()) {
            scratch_.release(start);
        }
    }
    scratch_.release(start);
    --depth_;
}

void Evaluator::run_list(const Script& script, const Node* first) {
    for (const Node* node = first; node != nullptr && flow_ == Flow::go_on; node = node->next) {
        run_node(script, *node);
    }
}

void Evaluator::run_node(const Script& script, const Node& node) {
    switch (node.kind) {
        case Node::Kind::simple: run_simple(script, node); break;
        case Node::Kind::if_else: run_if(script, node); break;
        case Node::Kind::for_in: run_for(script, node); break;
        case Node::Kind::while_true:
        case Node::Kind::until_true: run_loop(script, node); break;
        case Node::Kind::function: define_function(script, node); break;
    }
}

void Evaluator::run_if(const Script& script, const Node& node) {
    run_list(script, node.condition);
    if (flow_ != Flow::go_on) {
        return;
    }
    const Node* branch = status_ == status::ok ? node.body : node.otherwise;
    if (branch == nullptr) {
        status_ = status::ok;
    }
    run_list(script, branch);
}

// True where the loop goes on.
bool Evaluator::run_round(const Script& script, const Node* body, std::uint32_t round, const Node& node) {
    if (round >= limits_.loop_rounds) {
        give_up(script, node.offset, Message("grub.too_many_rounds", {{"limit", limits_.loop_rounds}}));
        return false;
    }
    run_list(script, body);
    return loop_goes_on();
}

// After a part of a loop: true where the loop goes on, with a `break` or `continue` that is meant for it taken in.
bool Evaluator::loop_goes_on() {
    if ((flow_ == Flow::break_loop || flow_ == Flow::continue_loop) && --flow_count_ == 0) {
        const bool goes_on = flow_ == Flow::continue_loop;
        flow_ = Flow::go_on;
        return goes_on;
    }
    return flow_ == Flow::go_on;
}

void Evaluator::run_for(const Script& script, const Node& node) {
    const Arena::Mark mark = scratch_.mark();
    const Arguments values = expand(script, node.words.subspan(1));
    const Call call{values, node, script};
    if (values.empty()) {
        status_ = status::ok;
    }
    ++loops_;
    std::uint32_t round = 0;
    for (const std::string_view value : values) {
        set_variable(call, node.words[0].text, value);
        if (!count_step(script, node) || !run_round(script, node.body, round++, node)) {
            break;
        }
    }
    --loops_;
    scratch_.release(mark);
}

void Evaluator::run_loop(const Script& script, const Node& node) {
    ++loops_;
    for (std::uint32_t round = 0; count_step(script, node); ++round) {
        run_list(script, node.condition);
        if (!loop_goes_on() || (status_ == status::ok) != (node.kind == Node::Kind::while_true) ||
            !run_round(script, node.body, round, node)) {
            break;
        }
    }
    --loops_;
}

void Evaluator::define_function(const Script& script, const Node& node) {
    const std::string_view name = node.words[0].text;
    if (!is_variable_name(name)) {
        diagnostics_.report(Severity::error, script, node.offset, Message("grub.bad_function"));
        return;
    }
    const auto known = functions_.find(name);
    if (known != functions_.end() && known->second.script == &script &&
        known->second.range.begin == node.block.begin) {
        return;
    }
    if (functions_.size() >= limits_.variables || permanent_.used() > limits_.output_bytes) {
        give_up(script, node.offset, Message("grub.too_many_functions"));
        return;
    }
    ParserLimits parser_limits;
    parser_limits.nesting_depth = limits_.nesting_depth;
    Function function{&script, node.block, nullptr};
    function.body = Parser(script, node.block, permanent_, diagnostics_, parser_limits).all();
    functions_[known == functions_.end() ? permanent_.copy(name) : known->first] = function;
    status_ = status::ok;
}

void Evaluator::call_function(const Call& call, Function function) {
    if (calls_ >= limits_.call_depth) {
        give_up(call.script, call.node.offset, Message("grub.calls_too_deep", {{"limit", limits_.call_depth}}));
        return;
    }
    Parameters parameters{call.arguments.subspan(1)};
    Parameters* const outer_parameters = std::exchange(parameters_, &parameters);
    const bool outer_function = std::exchange(in_function_, true);
    const std::uint32_t outer_loops = std::exchange(loops_, 0);
    ++calls_;
    run_list(*function.script, function.body);
    --calls_;
    loops_ = outer_loops;
    in_function_ = outer_function;
    parameters_ = outer_parameters;
    if (flow_ != Flow::stop) {
        flow_ = Flow::go_on;
    }
}

// To any command but those that make entries, a block is one more argument, braces included.
std::string_view Evaluator::block_text(const Script& script, const Node& node) {
    return script.text().substr(node.block.begin - 1, node.block.end - node.block.begin + 2);
}

void Evaluator::run_simple(const Script& script, const Node& node) {
    if (!count_step(script, node)) {
        return;
    }
    const Arena::Mark mark = scratch_.mark();
    const Call call{expand(script, node.words, node.has_block ? block_text(script, node) : ""), node, script};
    if (flow_ == Flow::stop) {
        return;
    }
    status_ = call.arguments.empty() ? status::ok : call_command(call);
    if (node.negated && flow_ == Flow::go_on) {
        status_ = status_ == status::ok ? status::failed : status::ok;
    }
    scratch_.release(mark);
}

// GRUB looks for a command first, then for a function; a name it knows neither way leaves $? at 0.
int Evaluator::call_command(const Call& call) {
    const std::string_view name = call.arguments[0];
    if (const Handler handler = find_command(name)) {
        return (this->*handler)(call);
    }
    if (const auto function = functions_.find(name); function != functions_.end()) {
        call_function(call, function->second);
        return status_;
    }
    if (name.find('=') != name.npos) {
        return do_assignment(call);
    }
    report(Severity::warning, call, Message("grub.unknown_command", {{"command", name}}));
    return status::ok;
}

}  // namespace stillboot::grub
