// SPDX-License-Identifier: Apache-2.0
// Picking from a menu by the words of $default, and names made of titles.
#include "config/parse/grub/menu.hpp"

#include <algorithm>

namespace stillboot::grub {
namespace {

/// The first step of a path, with ">>" made '>', and what follows the '>' that ends it.
std::string first_step(std::string_view path, std::string& rest) {
    std::string step;
    for (std::size_t at = 0; at < path.size(); ++at) {
        if (path[at] != '>') {
            step += path[at];
        } else if (path.substr(at + 1, 1) == ">") {
            step += path[at++];
        } else {
            rest = path.substr(at + 1);
            break;
        }
    }
    return step;
}

}  // namespace

Selection select(const Menu& menu, std::string_view wanted) {
    Selection out;
    const std::string step = first_step(wanted, out.rest);
    if (step.empty()) {
        return out;
    }
    if (std::all_of(step.begin(), step.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        out.index = step.size() < 9 ? std::stoul(step) : menu.items.size();
    } else {
        const auto found = std::find_if(menu.items.begin(), menu.items.end(), [&](const MenuItem& item) {
            return item.title() == step || item.id == step;
        });
        out.index = static_cast<std::size_t>(found - menu.items.begin());
    }
    if (out.index >= menu.items.size()) {
        out.index = 0;
        out.found = false;
        out.rest.clear();
    }
    return out;
}

std::string slug(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool upper = c >= 'A' && c <= 'Z';
        const bool kept = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                          static_cast<unsigned char>(c) > 127;
        if (kept) {
            out += upper ? static_cast<char>(c - 'A' + 'a') : c;
        } else if (!out.empty() && out.back() != '-') {
            out += '-';
        }
    }
    while (!out.empty() && out.back() == '-') {
        out.pop_back();
    }
    return out.empty() ? "entry" : out;
}

}  // namespace stillboot::grub
