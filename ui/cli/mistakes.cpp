// SPDX-License-Identifier: Apache-2.0
// Refusals of what a user did not mean.
#include "ui/cli/mistakes.hpp"

#include <unistd.h>

#include "kexec/handover/record.hpp"
#include "quiesce/state_store.hpp"
#include "ui/cli/machine.hpp"

namespace stillboot::cli {
namespace {

ExitCode refuse(const Context& context, const Error& error) {
    context.complain("stillboot: " + error.sentence());
    return ExitCode::refused;
}

std::vector<Message> lost_by(const Root& root, const quiesce::Plan& plan) {
    return quiesce::cut_offs(root, plan, quiesce::read_caller(root), quiesce::local_addresses());
}

// A second record would take what is unbound now for how the machine was.
Result<void> nothing_unbound_yet(const Root& root) {
    quiesce::RunStateStore store(root);
    const auto record = handover::left_over(store, root);
    if (!record) {
        return record.error();
    }
    return *record ? Error("cli.unbound_already", {{"title", (*record)->title}}) : Result<void>();
}

}  // namespace

std::optional<ExitCode> refuse_where_impossible(const Context& context, const Root& root) {
    if (const auto refused = refuse_without_root(context)) {
        return refused;
    }
    if (const auto possible = quiesce::may_unbind_here(root); !possible) {
        return refuse(context, possible.error());
    }
    if (const auto bound = nothing_unbound_yet(root); !bound) {
        return refuse(context, bound.error());
    }
    return std::nullopt;
}

std::optional<ExitCode> refuse_cut_off(const Context& context, const Root& root,
                                       const quiesce::Inventory& inventory, const quiesce::Plan& plan,
                                       bool even_if_cut_off) {
    if (const auto possible = quiesce::kernel_can_unbind(inventory); !possible) {
        return refuse(context, possible.error());
    }
    if (even_if_cut_off) {
        return std::nullopt;
    }
    const auto lost = lost_by(root, plan);
    for (const Message& message : lost) {
        context.complain("stillboot: " + message.sentence());
    }
    if (lost.empty()) {
        return std::nullopt;
    }
    context.complain(Message("cli.hint_cut_off", {{"option", cut_off_option}}).sentence());
    return ExitCode::refused;
}

std::optional<Message> what_others_than_root_miss(const Context& context) {
    return ::geteuid() != 0 && context.root == "/" ? std::optional(Message("cli.sees_less")) : std::nullopt;
}

std::vector<Message> notes_for_the_caller(const Context& context, const Root& root, const quiesce::Plan& plan) {
    std::vector<Message> notes = lost_by(root, plan);
    if (auto note = what_others_than_root_miss(context)) {
        notes.push_back(*std::move(note));
    }
    return notes;
}

}  // namespace stillboot::cli
