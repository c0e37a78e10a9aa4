// SPDX-License-Identifier: Apache-2.0
// Pattern matching and the walk down the directories.
#include "config/parse/grub/glob.hpp"

#include <algorithm>

namespace stillboot::grub {
namespace {

bool has_wild(std::string_view pattern) {
    for (std::size_t at = 0; at < pattern.size(); ++at) {
        if (pattern[at] == '\\') {
            ++at;
        } else if (pattern[at] == '*' || pattern[at] == '?') {
            return true;
        }
    }
    return false;
}

std::string unescape(std::string_view pattern) {
    std::string out;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
        if (pattern[at] == '\\' && at + 1 < pattern.size()) {
            ++at;
        }
        out += pattern[at];
    }
    return out;
}

}  // namespace

bool matches(std::string_view pattern, std::string_view name) {
    std::size_t p = 0;
    std::size_t n = 0;
    std::size_t star = pattern.npos;
    std::size_t star_name = 0;
    while (n < name.size()) {
        const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
        const std::size_t literal = escaped ? p + 1 : p;
        if (!escaped && p < pattern.size() && pattern[p] == '*') {
            star = p++;
            star_name = n;
        } else if (literal < pattern.size() &&
                   (pattern[literal] == name[n] || (!escaped && pattern[literal] == '?'))) {
            p = literal + 1;
            ++n;
        } else if (star != pattern.npos) {
            p = star + 1;
            n = ++star_name;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') {
        ++p;
    }
    return p == pattern.size();
}

std::vector<std::string> matching_paths(FileSource& source, const DeviceRef& device, std::string_view pattern,
                                        std::size_t limit) {
    std::vector<std::string> found{""};
    while (!pattern.empty() && !found.empty()) {
        const std::size_t end = std::min(pattern.find('/', 1), pattern.size());
        const std::string_view component = pattern.substr(1, end - 1);
        pattern.remove_prefix(end);
        std::vector<std::string> next;
        for (const std::string& base : found) {
            if (!has_wild(component)) {
                next.push_back(base + "/" + unescape(component));
                continue;
            }
            for (const std::string& name : source.list(device, base.empty() ? "/" : base)) {
                if (next.size() < limit && name[0] != '.' && matches(component, name)) {
                    next.push_back(base + "/" + name);
                }
            }
        }
        found = std::move(next);
    }
    const auto absent = [&](const std::string& path) {
        return source.kind(device, path) == FileSource::Kind::missing;
    };
    found.erase(std::remove_if(found.begin(), found.end(), absent), found.end());
    return found;
}

}  // namespace stillboot::grub
