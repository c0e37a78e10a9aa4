// SPDX-License-Identifier: Apache-2.0
// Words for the steps and the sources of a hand-over.
#include "kexec/handover/handover.hpp"

#include <algorithm>
#include <array>

namespace stillboot::handover {
namespace {

constexpr std::array<std::pair<Step, std::string_view>, 16> words = {{{Step::before_boot, "before-boot"},
                                                                      {Step::fetch, "fetch"},
                                                                      {Step::verify, "verify"},
                                                                      {Step::measure, "measure"},
                                                                      {Step::unwrap, "unwrap"},
                                                                      {Step::trial_load, "trial-load"},
                                                                      {Step::memory, "memory"},
                                                                      {Step::commit, "commit"},
                                                                      {Step::before_quiesce, "before-quiesce"},
                                                                      {Step::take_down, "take-down"},
                                                                      {Step::unbind, "unbind"},
                                                                      {Step::check, "check"},
                                                                      {Step::load, "load"},
                                                                      {Step::watchdog, "watchdog"},
                                                                      {Step::jump, "jump"},
                                                                      {Step::undo, "undo"}}};

}  // namespace

std::string_view to_word(Step step) {
    const auto row =
        std::find_if(words.begin(), words.end(), [&](const auto& word) { return word.first == step; });
    return row == words.end() ? std::string_view() : row->second;
}

std::optional<Step> step_from_word(std::string_view word) {
    const auto row =
        std::find_if(words.begin(), words.end(), [&](const auto& entry) { return entry.second == word; });
    return row == words.end() ? std::nullopt : std::optional(row->first);
}

std::string ImageSource::text() const {
    if (!url.empty()) {
        return url;
    }
    return node.empty() ? path : path + " on " + node;
}

std::optional<Try> Request::counted_try() const {
    return entry_file && attempt == 1 ? try_of(*entry_file) : std::nullopt;
}

Event event_of(const quiesce::StepProgress& progress, std::chrono::milliseconds elapsed) {
    Event event;
    event.step = Step::unbind;
    event.message = quiesce::message_of(progress);
    event.done = progress.done;
    event.total = progress.total;
    event.elapsed = elapsed;
    event.left_at_most = progress.left_at_most;
    for (const quiesce::RunningStep& running : progress.running) {
        event.active.push_back({running.step->name, running.step->driver, running.elapsed, running.slow});
    }
    return event;
}

}  // namespace stillboot::handover
