// SPDX-License-Identifier: Apache-2.0
// The list of attempts, and its JSON.
#include "kexec/handover/past_attempts.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <optional>

#include "kexec/handover/record_json.hpp"

namespace stillboot::handover {
namespace {

namespace json = boost::json;
using End = PastAttempt::End;

constexpr std::array<std::pair<End, std::string_view>, 8> words = {{{End::under_way, "under_way"},
                                                                    {End::jumped, "jumped"},
                                                                    {End::failed, "failed"},
                                                                    {End::cancelled, "cancelled"},
                                                                    {End::cut_off, "cut_off"},
                                                                    {End::went_down, "went_down"},
                                                                    {End::restarted, "restarted"},
                                                                    {End::watchdog, "watchdog"}}};

constexpr std::size_t max_words = 160;
constexpr std::size_t max_reason = 400;

// Not in the middle of a character.
std::string cut(std::string text, std::size_t bytes) {
    if (text.size() > bytes) {
        while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) {
            --bytes;
        }
        text.resize(bytes);
    }
    return text;
}

std::optional<PastAttempt> attempt_from(const json::object& object) {
    const std::string word = text_in(object, "end");
    const auto* const end =
        std::find_if(words.begin(), words.end(), [&](const auto& row) { return row.second == word; });
    const json::value* const when = object.if_contains("when");
    if (end == words.end() || when == nullptr || !when->is_int64()) {
        return std::nullopt;
    }
    PastAttempt out;
    out.option_id = text_in(object, "option");
    out.title = text_in(object, "title");
    out.when = when->get_int64();
    out.by = text_in(object, "by");
    out.end = end->first;
    out.step = text_in(object, "step");
    out.reason = text_in(object, "reason");
    out.counted = flag_in(object, "counted");
    return out;
}

}  // namespace

std::string_view to_word(End end) {
    const auto* const row =
        std::find_if(words.begin(), words.end(), [&](const auto& each) { return each.first == end; });
    return row == words.end() ? std::string_view() : row->second;
}

PastAttempt attempt_of(const Request& request) {
    PastAttempt attempt;
    attempt.option_id = request.option_id;
    attempt.title = request.title;
    attempt.when = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    attempt.by = request.by;
    attempt.counted = request.entry_file.has_value();
    return attempt;
}

void remember(PastAttempts& attempts, PastAttempt attempt) {
    attempt.title = cut(std::move(attempt.title), max_words);
    attempt.by = cut(std::move(attempt.by), max_words);
    attempt.reason = cut(std::move(attempt.reason), max_reason);
    attempts.insert(attempts.begin(), std::move(attempt));
    if (attempts.size() > max_past_attempts) {
        attempts.resize(max_past_attempts);
    }
}

void settle(PastAttempts& attempts, PastAttempt ended) {
    if (!attempts.empty() && attempts.front().option_id == ended.option_id) {
        const PastAttempt& newest = attempts.front();
        if (newest.end == End::under_way) {
            ended.when = newest.when;
            ended.by = newest.by;
            ended.counted = newest.counted;
            attempts.erase(attempts.begin());
        } else if (newest.when == ended.when) {
            return;
        }
    }
    remember(attempts, std::move(ended));
}

json::array to_json(const PastAttempts& attempts) {
    json::array out;
    for (const PastAttempt& each : attempts) {
        out.push_back(json::object{{"option", each.option_id},
                                   {"title", each.title},
                                   {"when", each.when},
                                   {"by", each.by},
                                   {"end", to_word(each.end)},
                                   {"step", each.step},
                                   {"reason", each.reason},
                                   {"counted", each.counted}});
    }
    return out;
}

PastAttempts past_attempts_in(const json::object& object, std::string_view name) {
    PastAttempts out;
    const json::value* const value = object.if_contains(name);
    const json::array* const array = value == nullptr ? nullptr : value->if_array();
    if (array == nullptr) {
        return out;
    }
    for (const json::value& each : *array) {
        const json::object* const attempt = each.if_object();
        if (auto read = attempt == nullptr ? std::nullopt : attempt_from(*attempt);
            read && out.size() < max_past_attempts) {
            out.push_back(std::move(*read));
        }
    }
    return out;
}

}  // namespace stillboot::handover
