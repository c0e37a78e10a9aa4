// SPDX-License-Identifier: Apache-2.0
// Variables and the journal of their changes.
#include "config/parse/grub/environment.hpp"

#include <algorithm>
#include <utility>

namespace stillboot::grub {

std::string_view Environment::get(std::string_view name) const {
    const Variable* variable = find(name);
    return variable == nullptr || !variable->set ? std::string_view() : variable->value;
}

bool Environment::is_set(std::string_view name) const {
    const Variable* variable = find(name);
    return variable != nullptr && variable->set;
}

Environment::Variable* Environment::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
}

Environment::Variable* Environment::find_or_make(std::string_view name) {
    if (Variable* known = find(name)) {
        return known;
    }
    if (variables_.size() >= limits_.variables || name.size() > limits_.value_bytes) {
        return nullptr;
    }
    Variable* const variable = &variables_.emplace_back();
    by_name_.emplace(name, variable);
    return variable;
}

// Once a scope is enough, so that a loop of a hundred thousand assignments costs one entry.
void Environment::remember(Variable& variable) {
    if (variable.saved_in != scope_) {
        journal_.push_back({&variable, variable});
        variable.saved_in = scope_;
    }
}

Environment::Outcome Environment::set(std::string_view name, std::string_view value) {
    Variable* variable = find_or_make(name);
    if (variable == nullptr) {
        return Outcome::too_many;
    }
    if (value.size() > limits_.value_bytes ||
        total_bytes_ - variable->value.size() + value.size() > limits_.total_bytes) {
        return Outcome::too_large;
    }
    remember(*variable);
    total_bytes_ = total_bytes_ - variable->value.size() + value.size();
    variable->value.assign(value);
    variable->set = true;
    return Outcome::done;
}

void Environment::unset(std::string_view name) {
    if (Variable* variable = find(name)) {
        remember(*variable);
        total_bytes_ -= variable->value.size();
        variable->value.clear();
        variable->set = false;
        variable->exported = false;
    }
}

void Environment::export_variable(std::string_view name) {
    if (Variable* variable = find_or_make(name)) {
        remember(*variable);
        variable->exported = true;
    }
}

void Environment::hide_unexported() {
    for (Variable& variable : variables_) {
        if (variable.set && !variable.exported) {
            remember(variable);
            total_bytes_ -= variable.value.size();
            variable.value.clear();
            variable.set = false;
        }
    }
}

Environment::Scope::Scope(Environment& environment)
    : environment_(environment), journal_size_(environment.journal_.size()), outer_(environment.scope_) {
    environment_.scope_ = ++environment_.last_scope_;
}

Environment::Scope::~Scope() {
    auto& journal = environment_.journal_;
    while (journal.size() > journal_size_) {
        Undo& undo = journal.back();
        environment_.total_bytes_ += undo.before.value.size();
        environment_.total_bytes_ -= undo.variable->value.size();
        *undo.variable = std::move(undo.before);
        journal.pop_back();
    }
    environment_.scope_ = outer_;
}

bool is_variable_name(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return !name.empty() && !digit(name[0]) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || digit(c); });
}

}  // namespace stillboot::grub
