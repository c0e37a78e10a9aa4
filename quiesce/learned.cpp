// SPDX-License-Identifier: Apache-2.0
// Adding up what was seen of a driver.
#include "quiesce/learned.hpp"

#include <algorithm>

namespace stillboot::quiesce {

Message Learned::message() const {
    const std::string_view code = why == Why::hung      ? "quiesce.learned_hung"
                                  : why == Why::crashed ? "quiesce.learned_crashed"
                                                        : "quiesce.learned_died";
    return Message(code, {{"driver", driver}, {"bus", bus}, {"device", device}, {"times", times}});
}

std::string_view to_word(Learned::Why why) {
    switch (why) {
        case Learned::Why::hung: return "hung";
        case Learned::Why::crashed: return "crashed";
        case Learned::Why::died: return "died";
    }
    return "";
}

void learn(std::vector<Learned>& known, Learned seen) {
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const Learned& each) { return each.names(seen.driver, seen.bus); });
    if (found == known.end()) {
        known.push_back(std::move(seen));
        return;
    }
    ++found->times;
    found->device = std::move(seen.device);
    if (seen.why != Learned::Why::died) {
        found->why = seen.why;
    }
}

}  // namespace stillboot::quiesce
