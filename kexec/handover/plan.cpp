// SPDX-License-Identifier: Apache-2.0
// The order of the whole hand-over, written down once.
#include "kexec/handover/plan.hpp"

namespace stillboot::handover {
namespace {

constexpr unsigned calls_of_a_trial_and_a_load = 3;  // load, unload, load: each counts

Message describe_fetch(const Request& request) {
    std::string all = request.kernel.text();
    for (const ImageSource& initrd : request.initrds) {
        all += ", " + initrd.text();
    }
    if (request.devicetree) {
        all += ", " + request.devicetree->text();
    }
    return Message("handover.step_fetch", {{"sources", all}});
}

Message describe_commit(const Request& request) {
    const auto one = request.counted_try();
    return one ? Message("handover.step_commit_counted",
                         {{"name", one->file.path()}, {"after", one->after}, {"device", one->file.node}})
               : Message("handover.step_commit");
}

class StepList {
public:
    void add(Step step, Message what) { steps_.push_back({step, std::move(what)}); }
    void add(Step step, std::string_view code) { add(step, Message(code)); }
    void add_hooks(Step step, const std::vector<std::string>& names) {
        std::string all;
        for (const std::string& name : names) {
            all += (all.empty() ? "" : ", ") + name;
        }
        if (!all.empty()) {
            add(step, Message("handover.step_hooks", {{"names", all}}));
        }
    }
    [[nodiscard]] std::vector<PlannedStep> take() { return std::move(steps_); }

private:
    std::vector<PlannedStep> steps_;
};

void add_device_steps(StepList& steps, const quiesce::Plan& devices, Moving moving) {
    steps.add(Step::take_down, "handover.step_take_down");
    steps.add(Step::unbind, Message("handover.step_unbind", {{"devices", std::uint64_t{devices.steps.size()}},
                                                             {"kept", std::uint64_t{devices.kept.size()}}}));
    steps.add(Step::check, moving == Moving::allow ? "handover.step_check_allow" : "handover.step_check");
}

}  // namespace

bool trial_wanted(Trial setting, std::optional<unsigned> calls_left) {
    switch (setting) {
        case Trial::always: return true;
        case Trial::never: return false;
        case Trial::automatic: break;
    }
    return !calls_left || *calls_left >= calls_of_a_trial_and_a_load;
}

Plan make_plan(Request request, Options options, Situation situation) {
    StepList steps;
    const bool jumping = options.goal == Options::Goal::jump;
    if (jumping) {
        steps.add_hooks(Step::before_boot, situation.before_boot);
    }
    steps.add(Step::fetch, describe_fetch(request));
    steps.add(Step::verify, "handover.step_verify");
    steps.add(Step::measure, "handover.step_measure");
    steps.add(Step::unwrap, "handover.step_unwrap");
    if (jumping && trial_wanted(options.trial, situation.load_calls_left)) {
        steps.add(Step::trial_load, "handover.step_trial_load");
    }
    steps.add(Step::memory, "handover.step_memory");
    if (jumping) {
        steps.add(Step::commit, describe_commit(request));
        steps.add_hooks(Step::before_quiesce, situation.before_quiesce);
    }
    const Message load("handover.step_load", {{"arguments", request.command_line}});
    const bool load_first = !jumping || options.load_when == Options::LoadWhen::before_take_down;
    if (load_first) {
        steps.add(Step::load, load);
    }
    if (jumping) {
        add_device_steps(steps, situation.devices, options.moving);
    }
    if (!load_first) {
        steps.add(Step::load, load);
    }
    // Last: from here on the time runs, of which a slow unbinding would take its part, and an unbinding that ends
    // in the undo needs none. (What hangs before has the ladder.)
    if (jumping && options.watchdog.count() > 0) {
        steps.add(Step::watchdog,
                  Message("handover.step_watchdog", {{"seconds", std::int64_t{options.watchdog.count()}}}));
    }
    if (jumping) {
        steps.add(Step::jump, "handover.step_jump");
    }
    Plan plan;
    plan.steps = steps.take();
    plan.request = std::move(request);
    plan.options = options;
    if (jumping) {
        plan.devices = std::move(situation.devices);
        plan.refusals = std::move(situation.beyond_us);
    }
    return plan;
}

std::vector<std::string> Plan::text() const {
    std::vector<std::string> lines;
    std::size_t number = 0;
    for (const PlannedStep& planned : steps) {
        lines.push_back(std::to_string(++number) + ". " + std::string(to_word(planned.step)) + ": " +
                        planned.what.sentence());
        if (planned.step == Step::unbind) {
            for (const std::string& line : devices.text()) {
                lines.push_back("     " + line);
            }
        }
    }
    for (const Message& refusal : refusals) {
        lines.push_back("refused: " + refusal.sentence());
    }
    return lines;
}

}  // namespace stillboot::handover
