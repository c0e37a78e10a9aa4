// SPDX-License-Identifier: Apache-2.0
// Sort keys of devices.
#include "daemon/registry/order.hpp"

#include <fnmatch.h>

#include <algorithm>

namespace stillboot::registry {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool names(const std::string& item, const std::string& id, bool removable) {
    if (item == "internal" || item == "removable") {
        return (item == "removable") == removable;
    }
    return ::fnmatch(item.c_str(), id.c_str(), 0) == 0;
}

}  // namespace

std::string natural_key(std::string_view text) {
    std::string key;
    while (!text.empty()) {
        if (!is_digit(text.front())) {
            key += text.front();
            text.remove_prefix(1);
            continue;
        }
        const auto* const end = std::find_if_not(text.begin(), text.end(), is_digit);
        const auto length = static_cast<std::size_t>(end - text.begin());
        const std::size_t zeros = std::min(text.find_first_not_of('0'), length - 1);
        // The count of digits as a letter sorts longer numbers behind shorter ones.
        key += static_cast<char>('a' + std::min<std::size_t>(length - zeros, 25));
        key += text.substr(zeros, length - zeros);
        text.remove_prefix(length);
    }
    return key;
}

std::string order_key(const std::vector<std::string>& order, std::string_view id, bool removable) {
    const std::string name(id);
    std::size_t rank = 0;
    while (rank < order.size() && !names(order[rank], name, removable)) {
        ++rank;
    }
    const std::string number = std::to_string(std::min<std::size_t>(rank, 999));
    return std::string(3 - number.size(), '0') + number + ":" + natural_key(id);
}

}  // namespace stillboot::registry
