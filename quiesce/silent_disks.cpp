// SPDX-License-Identifier: Apache-2.0
// The kernel's counters of each disk, looked at until they move.
#include "quiesce/silent_disks.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <sstream>

#include "quiesce/block_place.hpp"

namespace stillboot::quiesce {
namespace {

constexpr std::chrono::milliseconds step{100};

struct Counters {
    std::uint64_t in_flight = 0;
    std::uint64_t done = 0;
};

// Reads, writes, discards and flushes that are done; the last two are there since Linux 4.18 and 5.5.
std::optional<Counters> counters_of(const Root& root, const std::string& disk) {
    const auto text = root.read_attribute("/sys/block/" + disk + "/stat");
    if (!text) {
        return std::nullopt;
    }
    std::istringstream words(*text);
    std::vector<std::uint64_t> fields;
    for (std::uint64_t field = 0; words >> field;) {
        fields.push_back(field);
    }
    constexpr std::size_t in_flight = 8;
    if (fields.size() <= in_flight) {
        return std::nullopt;
    }
    Counters counters{fields[in_flight], 0};
    for (const std::size_t done : {0U, 4U, 11U, 15U}) {
        counters.done += done < fields.size() ? fields[done] : 0;
    }
    return counters;
}

}  // namespace

std::vector<std::string> silent_disks(const Root& root, std::chrono::milliseconds patience,
                                      const std::function<void(std::chrono::milliseconds)>& rest) {
    std::map<std::string, std::uint64_t> waiting;  // disks with requests, and what they had done
    for (const std::string& disk : root.list("/sys/block").value_or(std::vector<std::string>())) {
        if (const auto counters = counters_of(root, disk); counters && counters->in_flight > 0) {
            waiting[disk] = counters->done;
        }
    }
    for (auto left = patience; !waiting.empty() && left > std::chrono::milliseconds(0); left -= step) {
        rest(std::min(step, left));
        std::erase_if(waiting, [&](const auto& each) {
            const auto now = counters_of(root, each.first);
            return !now || now->in_flight == 0 || now->done != each.second;
        });
    }
    std::vector<std::string> silent;
    for (const auto& [disk, done] : waiting) {
        silent.push_back(node_of_name(disk));
    }
    return silent;
}

}  // namespace stillboot::quiesce
