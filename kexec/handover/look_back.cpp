// SPDX-License-Identifier: Apache-2.0
// What became of the hand-over that the kernel before this one began.
#include <algorithm>
#include <array>
#include <ctime>

#include "kexec/handover/state.hpp"

namespace stillboot::handover {
namespace {

const quiesce::RecordedDevice* find_device(const Record& record, const std::string& path) {
    const auto& devices = record.devices.unbound;
    const auto found = std::find_if(devices.begin(), devices.end(),
                                    [&](const quiesce::RecordedDevice& each) { return each.path == path; });
    return found == devices.end() ? nullptr : &*found;
}

// Those that were under way when the machine went down. What hung or crashed was learnt when it was seen.
void suspect_in_flight(const Record& record, LookBack& found) {
    for (const std::string& path : record.devices.in_flight) {
        const quiesce::RecordedDevice* const device = find_device(record, path);
        if (device == nullptr) {
            continue;
        }
        quiesce::Learned learned;
        learned.driver = device->driver;
        learned.bus = device->bus;
        learned.device = device->name;
        learned.why = quiesce::Learned::Why::died;
        found.notes.push_back(learned.message());
        quiesce::learn(found.state.learned, std::move(learned));
    }
}

// A default that takes the machine down with it must not do so for ever.
void count_death(const Record& record, LookBack& found) {
    Deaths& deaths = found.state.deaths;
    deaths = {record.option_id, deaths.option_id == record.option_id ? deaths.count + 1 : 1};
    if (deaths.count >= max_deaths) {
        found.hold = true;
        found.notes.emplace_back("handover.held_down",
                                 std::initializer_list<Message::Param>{{"count", std::uint64_t{deaths.count}},
                                                                       {"title", record.title}});
    }
}

void settle_attempt(const Record& record, PastAttempt::End end, LookBack& found) {
    PastAttempt ended;
    ended.option_id = record.option_id;
    ended.title = record.title;
    ended.when = record.began;
    ended.end = end;
    if (end == PastAttempt::End::went_down || end == PastAttempt::End::restarted) {
        ended.step = to_word(record.step);
    }
    ended.counted = record.counted.has_value();
    settle(found.state.attempts, std::move(ended));
}

// The last thing that a store can be told is that its own device goes; what comes after is not known to it.
bool may_have_jumped(const Record& record) {
    return record.step == Step::jump || record.store_gone;
}

std::string time_text(std::time_t when) {
    std::tm parts{};
    std::array<char, 32> text{};
    ::gmtime_r(&when, &parts);
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

}  // namespace

Result<LookBack> look_back(quiesce::StateStore& store, std::string_view boot_id, bool watchdog_fired) {
    auto read = read_state(store);
    if (!read) {
        return read.error();
    }
    LookBack found;
    found.state = std::move(*read);
    found.notes = store.damage();
    State& state = found.state;
    if (!state.attempt || state.attempt->boot_id == boot_id) {
        return found;
    }
    const Record record = *std::exchange(state.attempt, std::nullopt);
    if (record.step == Step::commit) {
        found.used_entry = record.entry_once;
    }
    const bool in_time = record.attempt < max_attempts;
    using End = PastAttempt::End;
    if (record.retry) {
        settle_attempt(record, End::restarted, found);
        found.notes.emplace_back(
            in_time ? "handover.retried" : "handover.given_up",
            std::initializer_list<Message::Param>{
                {"title", record.title}, {"attempt", record.attempt + 1}, {"attempts", max_attempts}});
        if (in_time) {
            found.retry = Retry{record.option_id, record.title,       record.command_line,
                                record.overrides, record.attempt + 1, record};
        }
    } else if (!may_have_jumped(record)) {
        found.notes.emplace_back("handover.died", std::initializer_list<Message::Param>{
                                                      {"title", record.title}, {"step", to_word(record.step)}});
        settle_attempt(record, End::went_down, found);
        suspect_in_flight(record, found);
        count_death(record, found);
    } else {
        const bool died = record.watchdog && watchdog_fired;
        settle_attempt(record, died ? End::watchdog : End::jumped, found);
        found.notes.emplace_back(
            died ? "handover.watchdog_fired" : "handover.let_go",
            std::initializer_list<Message::Param>{{"title", record.title}, {"time", time_text(record.began)}});
        if (died) {
            count_death(record, found);
        } else {
            state.deaths = {};
        }
    }
    // A store that takes no write still tells what was chosen and set.
    if (auto written = write_state(store, state); !written) {
        found.notes.push_back(written.error().message());
    }
    return found;
}

}  // namespace stillboot::handover
