// SPDX-License-Identifier: Apache-2.0
// What became of an attempt, by the store and by its entry's name.
#include "daemon/main/attempts.hpp"

#include <set>

namespace stillboot {
namespace {

using End = handover::PastAttempt::End;

bool counts_no_more(const std::string& option_id, const registry::Registry& registry) {
    const auto found = registry.find(option_id);
    const auto* const option = std::get_if<const protocol::Option*>(&found);
    return option != nullptr && (*option)->id == option_id && !(*option)->tries;
}

}  // namespace

std::vector<protocol::Attempt> attempts_as_known(const handover::PastAttempts& attempts,
                                                 const registry::Registry& registry) {
    std::vector<protocol::Attempt> out;
    std::set<std::string> jumped;
    for (const handover::PastAttempt& each : attempts) {
        protocol::Attempt attempt;
        attempt.option = each.option_id;
        attempt.title = each.title;
        attempt.time_s = each.when;
        attempt.by = each.by;
        attempt.end = static_cast<protocol::AttemptEnd>(each.end);
        attempt.step = each.step;
        attempt.reason = each.reason;
        const bool is_newest_jump = each.end == End::jumped && jumped.insert(each.option_id).second;
        if (is_newest_jump && each.counted && counts_no_more(each.option_id, registry)) {
            attempt.end = protocol::AttemptEnd::good;
        }
        out.push_back(std::move(attempt));
    }
    return out;
}

}  // namespace stillboot
