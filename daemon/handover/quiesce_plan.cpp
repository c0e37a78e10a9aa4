// SPDX-License-Identifier: Apache-2.0
// Plans to and from the protocol, field by field.
#include "daemon/handover/quiesce_plan.hpp"

#include <algorithm>
#include <utility>

namespace stillboot::handover {
namespace {

protocol::QuiesceStep to_protocol(const quiesce::PlanStep& step) {
    protocol::QuiesceStep out;
    out.action = to_word(step.action);
    out.path = step.path;
    out.name = step.name;
    out.bus = step.bus;
    out.driver = step.driver;
    out.reason = step.reason;
    out.rule = step.rule;
    out.deadline_s = static_cast<std::uint64_t>(step.deadline.count());
    out.stage = step.stage;
    out.refused = step.refused;
    out.waits_for.assign(step.waits_for.begin(), step.waits_for.end());
    return out;
}

protocol::QuiesceKept to_protocol(const quiesce::Kept& kept) {
    return {kept.path, kept.name, kept.bus, kept.driver, kept.follows, kept.rule, kept.for_sake_of, kept.reason};
}

quiesce::StepAction action_of(std::string_view word) {
    using quiesce::StepAction;
    for (const StepAction action : {StepAction::unbind, StepAction::sriov_off, StepAction::reset}) {
        if (to_word(action) == word) {
            return action;
        }
    }
    return StepAction::unbind;
}

// What waits for a place that is not before its own waits for nothing: a peer's numbers lead nowhere.
quiesce::PlanStep from_protocol(protocol::QuiesceStep step, std::size_t place) {
    quiesce::PlanStep out;
    out.action = action_of(step.action);
    out.path = std::move(step.path);
    out.name = std::move(step.name);
    out.bus = std::move(step.bus);
    out.driver = std::move(step.driver);
    out.reason = std::move(step.reason);
    out.rule = std::move(step.rule);
    out.deadline = std::chrono::seconds(std::min<std::uint64_t>(step.deadline_s, 1'000'000));
    out.stage = step.stage;
    out.refused = step.refused;
    for (const std::uint64_t before : step.waits_for) {
        if (before < place) {
            out.waits_for.push_back(before);
        }
    }
    return out;
}

quiesce::Kept from_protocol(protocol::QuiesceKept kept) {
    quiesce::Kept out;
    out.path = std::move(kept.path);
    out.name = std::move(kept.name);
    out.bus = std::move(kept.bus);
    out.driver = std::move(kept.driver);
    out.reason = std::move(kept.reason);
    out.rule = std::move(kept.rule);
    out.for_sake_of = std::move(kept.for_sake_of);
    out.follows = kept.follows;
    return out;
}

}  // namespace

protocol::QuiescePlan to_protocol(const quiesce::Plan& plan) {
    protocol::QuiescePlan out;
    out.refusals = plan.refusals;
    out.notes = plan.notes;
    for (const auto& step : plan.steps) {
        out.steps.push_back(to_protocol(step));
    }
    for (const auto& kept : plan.kept) {
        out.kept.push_back(to_protocol(kept));
    }
    return out;
}

quiesce::Plan from_protocol(protocol::QuiescePlan plan) {
    quiesce::Plan out;
    out.refusals = std::move(plan.refusals);
    out.notes = std::move(plan.notes);
    for (auto& step : plan.steps) {
        out.steps.push_back(from_protocol(std::move(step), out.steps.size()));
    }
    for (auto& kept : plan.kept) {
        out.kept.push_back(from_protocol(std::move(kept)));
    }
    return out;
}

}  // namespace stillboot::handover
