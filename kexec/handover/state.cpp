// SPDX-License-Identifier: Apache-2.0
// The document of the state store as JSON.
#include "kexec/handover/state.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "config/base/utf8.hpp"
#include "kexec/handover/record_json.hpp"

namespace stillboot::handover {
namespace {

namespace json = boost::json;
using quiesce::Learned;

constexpr std::size_t max_learned = 64;
constexpr std::size_t max_settings = 64;

json::value to_json(const Learned& learned) {
    return json::object{{"driver", learned.driver},
                        {"bus", learned.bus},
                        {"device", learned.device},
                        {"why", quiesce::to_word(learned.why)},
                        {"times", learned.times}};
}

Learned learned_from(const json::object& object) {
    Learned learned;
    learned.driver = object.at("driver").as_string();
    learned.bus = object.at("bus").as_string();
    learned.device = object.at("device").as_string();
    learned.times = object.at("times").to_number<unsigned>();
    const auto& word = object.at("why").as_string();
    learned.why = word == "hung"      ? Learned::Why::hung
                  : word == "crashed" ? Learned::Why::crashed
                                      : Learned::Why::died;
    return learned;
}

// Boost.JSON's at() and as_*() throw; state_from_text() catches at the border.
Result<State> parse_state(const json::object& object) {
    if (object.at("format").to_number<int>() > State::format_version) {
        return Error("handover.state_newer", {{"format", object.at("format").to_number<int>()}});
    }
    State state;
    for (const auto& each : object.at("learned").as_array()) {
        if (state.learned.size() < max_learned) {
            state.learned.push_back(learned_from(each.as_object()));
        }
    }
    if (const auto& attempt = object.at("attempt"); !attempt.is_null()) {
        auto record = record_from_json(attempt);
        if (!record) {
            return record.error();
        }
        state.attempt = std::move(*record);
    }
    if (const auto* report = object.if_contains("report"); report != nullptr && report->is_object()) {
        auto read = quiesce::jump_report_from_text(json::serialize(*report));
        if (read) {  // what else the store remembers counts more than a report of another version
            state.report = std::move(*read);
        }
    }
    if (const auto* deaths = object.if_contains("deaths")) {
        state.deaths.option_id = deaths->at("option").as_string();
        state.deaths.count = deaths->at("count").to_number<unsigned>();
    }
    state.attempts = past_attempts_in(object, "attempts");
    state.choices = {choice_in(object, "saved_default"), choice_in(object, "one_shot")};
    if (const auto* settings = object.if_contains("settings")) {
        for (const auto& each : settings->as_object()) {
            if (state.settings.size() < max_settings) {
                state.settings.push_back({each.key(), std::string(each.value().as_string())});
            }
        }
    }
    return state;
}

bool has_no_room(const Error& error) {
    return error.code() == "state.too_large" || error.code() == "state.full" ||
           error.code() == "state.firmware_refuses";
}

// What a later kernel tells of an attempt, and counts by.
Record outline_of(const Record& record) {
    Record out;
    out.boot_id = record.boot_id;
    out.option_id = record.option_id;
    out.title = record.title;
    out.step = record.step;
    out.attempt = record.attempt;
    out.retry = record.retry;
    out.store_gone = record.store_gone;
    out.watchdog = record.watchdog;
    out.began = record.began;
    out.devices.boot_id = record.devices.boot_id;
    return out;
}

// What counts least. False where nothing is left that could go.
bool leave_out(State& state) {
    if (state.attempts.size() > 1) {
        state.attempts.resize(state.attempts.size() / 2);
    } else if (state.report) {
        state.report.reset();
    } else if (state.attempt && *state.attempt != outline_of(*state.attempt)) {
        state.attempt = outline_of(*state.attempt);
    } else if (!state.attempts.empty()) {
        state.attempts.clear();
    } else if (state.attempt) {
        state.attempt.reset();
    } else {
        return false;
    }
    return true;
}

}  // namespace

std::string to_text(const State& state) {
    json::array learned;
    for (const Learned& each : state.learned) {
        learned.push_back(to_json(each));
    }
    json::object settings;
    for (const SettingText& each : state.settings) {
        settings[each.key] = each.value;
    }
    return valid_utf8(json::serialize(  // a name from outside may be any bytes
        json::object{{"format", State::format_version},
                     {"attempt", state.attempt ? handover::to_json(*state.attempt) : json::value()},
                     {"learned", std::move(learned)},
                     {"deaths", json::object{{"option", state.deaths.option_id}, {"count", state.deaths.count}}},
                     {"saved_default", handover::to_json(state.choices.saved_default)},
                     {"one_shot", handover::to_json(state.choices.one_shot)},
                     {"settings", std::move(settings)},
                     {"attempts", handover::to_json(state.attempts)},
                     {"report", state.report ? json::parse(quiesce::to_text(*state.report)) : json::value()}}));
}

Result<State> state_from_text(std::string_view text) {
    try {
        return parse_state(json::parse(text).as_object());
    } catch (const std::exception& exception) {
        return Error("handover.state_damaged", {{"reason", exception.what()}});
    }
}

Result<State> read_state(quiesce::StateStore& store) {
    auto text = store.read();
    if (!text) {
        return text.error();
    }
    return text->has_value() ? state_from_text(**text) : Result<State>(State());
}

Result<std::optional<quiesce::JumpReport>> StoredReport::read() {
    auto state = read_state(store_);
    return state ? Result<std::optional<quiesce::JumpReport>>(std::move(state->report)) : state.error();
}

Result<void> write_state(quiesce::StateStore& store, State& state) {
    auto written = store.write(to_text(state));
    while (!written && has_no_room(written.error()) && leave_out(state)) {
        written = store.write(to_text(state));
    }
    return written;
}

Result<void> leaves_room(const quiesce::StateStore& store, const State& state) {
    State alone;
    alone.settings = state.settings;
    const std::size_t bytes = to_text(alone).size();
    const std::size_t limit = store.max_bytes() / 2;
    if (bytes <= limit) {
        return {};
    }
    return Error("handover.settings_too_large",
                 {{"bytes", std::uint64_t{bytes}}, {"limit", std::uint64_t{limit}}, {"store", store.place()}});
}

}  // namespace stillboot::handover
