// SPDX-License-Identifier: Apache-2.0
// Counting wrong passwords.
#include "daemon/password/attempts.hpp"

#include <algorithm>

namespace stillboot::password {
namespace {

using std::chrono::milliseconds;

milliseconds wait_after(unsigned wrong) {
    if (wrong < Attempts::free_of_one) {
        return milliseconds(0);
    }
    const unsigned doublings = std::min(wrong - Attempts::free_of_one, 6U);  // 64 s are past the longest
    return std::min<milliseconds>(Attempts::first_wait * (1U << doublings), Attempts::longest_wait);
}

}  // namespace

Attempts::Count& Attempts::count_of(const std::string& source, Instant now) {
    const auto quiet = [&](const Count& count) { return now - count.next >= forgotten_after; };
    std::erase_if(sources_, [&](const auto& each) { return quiet(each.second); });
    if (quiet(all_)) {
        all_ = Count{0, now};
    }
    const bool room = sources_.count(source) != 0 || sources_.size() < max_sources;
    return sources_.try_emplace(room ? source : "", Count{0, now}).first->second;
}

milliseconds Attempts::wait(const std::string& source, Instant now) {
    const Instant next = std::max(count_of(source, now).next, all_.next);
    return next > now ? std::chrono::ceil<milliseconds>(next - now) : milliseconds(0);
}

milliseconds Attempts::wrong(const std::string& source, Instant now) {
    Count& one = count_of(source, now);
    one.next = now + wait_after(++one.wrong);
    all_.next = ++all_.wrong < free_of_all ? now : now + first_wait;
    return wait(source, now);
}

void Attempts::right(const std::string& source) {
    sources_.erase(source);
    all_ = Count{};
}

}  // namespace stillboot::password
