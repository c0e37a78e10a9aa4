// SPDX-License-Identifier: Apache-2.0
// What becomes of a hand-over that did not end in another kernel, in the list of attempts.
#include "kexec/handover/executor.hpp"
#include "kexec/handover/state.hpp"

namespace stillboot::handover {
namespace {

Result<void> keep(quiesce::StateStore& store, const PastAttempt& ended) {
    auto state = read_state(store);
    if (!state) {
        return state.error();
    }
    settle(state->attempts, ended);
    return write_state(store, *state);
}

}  // namespace

PastAttempt note_ended(const Ports& ports, const Request& request, const Outcome& outcome) {
    PastAttempt ended = attempt_of(request);
    ended.end = outcome.cancelled ? PastAttempt::End::cancelled : PastAttempt::End::failed;
    ended.step = to_word(outcome.failed_at);
    if (outcome.failure && !outcome.cancelled) {
        ended.reason = outcome.failure->sentence();
    }
    const bool is_another_one = outcome.failure && outcome.failure->code() == "handover.busy";
    if (ports.durable_store != nullptr && !is_another_one) {
        if (auto kept = keep(*ports.durable_store, ended); !kept) {
            ports.journal.line(kept.error().message());
        }
    }
    return ended;
}

}  // namespace stillboot::handover
