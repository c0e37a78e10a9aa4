// SPDX-License-Identifier: Apache-2.0
// Small readers of sysfs that the inventory is made of.
#include "quiesce/sysfs.hpp"

#include <charconv>
#include <filesystem>

namespace stillboot::quiesce {

std::string attribute_or_empty(const Root& root, std::string_view path) {
    auto text = root.read_attribute(path);
    return text ? *std::move(text) : std::string();
}

std::string follow_link(const Root& root, std::string_view path) {
    const auto target = root.read_link(path);
    if (!target) {
        return {};
    }
    const auto joined = std::filesystem::path(path).parent_path() / *target;
    return joined.lexically_normal().string();
}

std::uint64_t parse_number(std::string_view text, int base) {
    if (base == 16 && (text.starts_with("0x") || text.starts_with("0X"))) {
        text.remove_prefix(2);
    }
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value, base);
    return value;
}

std::string_view last_component(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == path.npos ? path : path.substr(slash + 1);
}

std::vector<std::string> split(std::string_view text, std::string_view separators) {
    std::vector<std::string> parts;
    std::size_t at = text.find_first_not_of(separators);
    while (at != text.npos) {
        const std::size_t end = text.find_first_of(separators, at);
        parts.emplace_back(text.substr(at, end == text.npos ? text.npos : end - at));
        at = text.find_first_not_of(separators, end == text.npos ? text.size() : end);
    }
    return parts;
}

}  // namespace stillboot::quiesce
