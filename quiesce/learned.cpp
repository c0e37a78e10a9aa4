// SPDX-License-Identifier: Apache-2.0
// Adding up what was seen of a driver.
#include "quiesce/learned.hpp"

#include <algorithm>

namespace stillboot::quiesce {

namespace {

std::string_view code_of(Learned::Why why) {
    switch (why) {
        case Learned::Why::hung: return "quiesce.learned_hung";
        case Learned::Why::crashed: return "quiesce.learned_crashed";
        case Learned::Why::died: return "quiesce.learned_died";
    }
    return "";
}

}  // namespace

Message Learned::message() const {
    return Message(code_of(why), {{"driver", driver}, {"bus", bus}, {"device", device}, {"times", times}});
}

std::string_view to_word(Learned::Why why) {
    switch (why) {
        case Learned::Why::hung: return "hung";
        case Learned::Why::crashed: return "crashed";
        case Learned::Why::died: return "died";
    }
    return "";
}

bool is_learned(const Message& message) {
    return message.code() == code_of(Learned::Why::hung) || message.code() == code_of(Learned::Why::crashed) ||
           message.code() == code_of(Learned::Why::died);
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
