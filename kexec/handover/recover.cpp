// SPDX-License-Identifier: Apache-2.0
// Putting back what a hand-over left behind whose program was ended in the middle.
#include "kexec/handover/hand_over.hpp"
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

// The jump did not happen: what it had used up is as it was. What was learnt stays. The attempt of an earlier
// kernel is look_back()'s to settle; and where the store had gone, one that knows nothing of this attempt is
// another one.
Result<void> give_back_in(quiesce::StateStore& store, const Record& record,
                          const std::optional<PastAttempt>& ended) {
    auto state = read_state(store);
    if (!state) {
        return state.error();
    }
    const bool is_ours = state->attempt && state->attempt->boot_id == record.boot_id;
    if (!is_ours && (record.store_gone || (!record.one_shot && !ended))) {
        return {};
    }
    if (!state->choices.one_shot) {
        state->choices.one_shot = record.one_shot;
    }
    if (is_ours) {
        state->attempt.reset();
    }
    if (ended) {
        settle(state->attempts, *ended);
    }
    return write_state(store, *state);
}

Result<void> give_back_to_store(const Ports& ports, const Record& record,
                                const std::optional<PastAttempt>& ended) {
    quiesce::StateStore* const store = ports.durable_store;
    if (record.store_gone && (store == nullptr || store->device().empty())) {
        return Error("handover.store_not_back");
    }
    return store == nullptr ? Result<void>() : give_back_in(*store, record, ended);
}

}  // namespace

// /run last: what a record there does not name any more, nobody would give back.
std::vector<Message> give_back(const Ports& ports, Record& record, const std::optional<PastAttempt>& ended,
                               bool all_back) {
    std::vector<Message> failures;
    const auto did = [&](const Result<void>& done) {
        if (!done) {
            failures.push_back(done.error().message());
        }
        return static_cast<bool>(done);
    };
    const UsedUp before = record;
    if (record.counted && did(ports.counter.give_back(*record.counted))) {
        ports.journal.line(Message("handover.try_given_back", {{"name", record.counted->file.path()}}));
        record.counted.reset();
    }
    if (record.entry_once && did(ports.entry_once.set(record.entry_once))) {
        record.entry_once.reset();
    }
    if (did(give_back_to_store(ports, record, ended))) {
        record.one_shot.reset();
    }
    if (failures.empty() && all_back) {
        (void)did(ports.run_store.clear());
    } else if (before != record) {
        (void)did(ports.run_store.write(to_text(record)));
    }
    return failures;
}

Result<std::optional<Recovery>> put_back(const Ports& ports, bool is_cut_off, const FindStore& find_store) {
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
    const auto keep = [&](const std::vector<Message>& lost) {
        recovery.not_back.insert(recovery.not_back.end(), lost.begin(), lost.end());
    };
    keep(ports.quiescer.undo(recovery.record.devices).not_back);
    keep(ports.surroundings.bring_back(recovery.record.volumes));
    Ports with_store = ports;
    const auto store = recovery.record.store_gone && find_store ? find_store() : nullptr;
    if (recovery.record.store_gone && find_store) {  // it was not to be found when the daemon was started again
        with_store.durable_store = store.get();
    }
    keep(give_back(with_store, recovery.record,
                   is_cut_off ? std::optional(cut_off(recovery.record)) : std::nullopt,
                   recovery.not_back.empty()));
    return std::optional<Recovery>(std::move(recovery));
}

Result<std::optional<Recovery>> recover(const Ports& ports, const FindStore& find_store) {
    auto lock = Lock::take(ports.root);
    if (!lock) {
        return lock.error();
    }
    return put_back(ports, true, find_store);
}

}  // namespace stillboot::handover
