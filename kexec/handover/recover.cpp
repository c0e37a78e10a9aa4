// SPDX-License-Identifier: Apache-2.0
// Putting back what a hand-over left behind whose program was ended in the middle.
#include "kexec/handover/executor.hpp"
#include "kexec/handover/lock.hpp"
#include "kexec/handover/state.hpp"

namespace stillboot::handover {
namespace {

void unload_left_over(const Ports& ports, Recovery& recovery) {
    const auto loaded = ports.loader.loaded();
    if (!loaded || !*loaded) {
        return;
    }
    if (auto unloaded = ports.loader.unload(); !unloaded) {
        recovery.not_back.push_back(unloaded.error().message());
    }
}

PastAttempt cut_off(const Record& record) {
    PastAttempt ended;
    ended.option_id = record.option_id;
    ended.title = record.title;
    ended.when = record.began;
    ended.end = PastAttempt::End::cut_off;
    ended.step = to_word(record.step);
    ended.counted = record.counted.has_value();
    return ended;
}

Result<std::optional<Recovery>> clear_record_of_another_boot(quiesce::StateStore& store) {
    const auto text = store.read();
    if (text && text->has_value()) {
        if (auto cleared = store.clear(); !cleared) {
            return cleared.error();
        }
    }
    return std::optional<Recovery>();
}

// The jump did not happen: what it had used up is as it was. What was learnt stays.
Result<void> clear_attempt(quiesce::StateStore& store, const std::optional<PastAttempt>& ended) {
    auto state = read_state(store);
    if (!state) {
        return state.error();
    }
    if (!state->attempt && !ended) {
        return {};
    }
    if (state->attempt && state->attempt->one_shot && !state->choices.one_shot) {
        state->choices.one_shot = state->attempt->one_shot;
    }
    state->attempt.reset();
    if (ended) {
        settle(state->attempts, *ended);
    }
    return write_state(store, *state);
}

}  // namespace

// /run last: what a record there does not name any more, nobody would give back.
std::vector<Message> clear_records(const Ports& ports, const std::optional<std::string>& entry_once,
                                   const std::optional<PastAttempt>& ended) {
    std::vector<Message> failures;
    if (entry_once) {
        if (auto given_back = ports.entry_once.set(entry_once); !given_back) {
            failures.push_back(given_back.error().message());
        }
    }
    if (ports.durable_store != nullptr) {
        if (auto cleared = clear_attempt(*ports.durable_store, ended); !cleared) {
            failures.push_back(cleared.error().message());
        }
    }
    if (auto cleared = ports.run_store.clear(); !cleared) {
        failures.push_back(cleared.error().message());
    }
    return failures;
}

namespace {

// A store whose own devices had gone was not to be found when the daemon was started again.
std::vector<Message> clear_after_recovery(const Ports& ports, const FindStore& find_store, const Record& record) {
    if (!record.store_gone || !find_store) {
        return clear_records(ports, record.entry_once, cut_off(record));
    }
    const auto store = find_store();
    if (store == nullptr) {
        return {Message("handover.store_not_back")};
    }
    Ports with_store = ports;
    with_store.durable_store = store.get();
    return clear_records(with_store, record.entry_once, cut_off(record));
}

}  // namespace

Result<std::optional<Recovery>> recover(const Ports& ports, const FindStore& find_store) {
    auto lock = Lock::take(ports.root);
    if (!lock) {
        return lock.error();
    }
    auto record = left_over(ports.run_store, ports.root);
    if (!record) {
        return record.error();
    }
    if (!*record) {
        return clear_record_of_another_boot(ports.run_store);
    }
    Recovery recovery;
    recovery.record = std::move(**record);
    ports.journal.line(Message("handover.recovering",
                               {{"title", recovery.record.title}, {"step", to_word(recovery.record.step)}}));
    unload_left_over(ports, recovery);
    auto report = ports.quiescer.undo(recovery.record.devices);
    recovery.not_back.insert(recovery.not_back.end(), report.not_back.begin(), report.not_back.end());
    auto programs = ports.surroundings.bring_back(recovery.record.volumes);
    recovery.not_back.insert(recovery.not_back.end(), programs.begin(), programs.end());
    if (const auto& counted = recovery.record.counted) {
        if (auto back = ports.counter.give_back(*counted); !back) {
            recovery.not_back.push_back(back.error().message());
        }
    }
    if (recovery.not_back.empty()) {  // otherwise the next start tries again
        recovery.not_back = clear_after_recovery(ports, find_store, recovery.record);
    }
    return std::optional<Recovery>(std::move(recovery));
}

}  // namespace stillboot::handover
