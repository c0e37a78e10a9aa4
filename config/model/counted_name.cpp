// SPDX-License-Identifier: Apache-2.0
// Reading and writing of counters in file names.
#include "config/model/counted_name.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

namespace stillboot {
namespace {

constexpr std::string_view suffixes[] = {".conf", ".efi"};

std::optional<std::uint32_t> whole_number(std::string_view text) {
    std::uint32_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
    return whole ? std::optional(number) : std::nullopt;
}

// "3" or "3-1".
std::optional<BootTries> tries_of(std::string_view text) {
    const std::size_t dash = text.find('-');
    const auto left = whole_number(text.substr(0, dash));
    const auto done = dash == text.npos ? 0U : whole_number(text.substr(dash + 1));
    if (!left || !done) {
        return std::nullopt;
    }
    return BootTries{*left, *done};
}

}  // namespace

std::optional<CountedName> counted_name_of(std::string_view name) {
    const auto* const suffix = std::find_if(std::begin(suffixes), std::end(suffixes), [&](std::string_view each) {
        return name.size() > each.size() && name.ends_with(each);
    });
    if (suffix == std::end(suffixes)) {
        return std::nullopt;
    }
    name.remove_suffix(suffix->size());
    CountedName out;
    out.suffix = *suffix;
    const std::size_t plus = name.rfind('+');
    if (plus != name.npos && plus > 0) {
        out.tries = tries_of(name.substr(plus + 1));
    }
    out.stem = out.tries ? name.substr(0, plus) : name;
    return out;
}

std::string to_text(const CountedName& name) {
    std::string text = name.stem;
    if (name.tries) {
        text += "+" + std::to_string(name.tries->left);
        text += name.tries->done == 0 ? "" : "-" + std::to_string(name.tries->done);
    }
    return text + name.suffix;
}

BootTries after_try(BootTries tries) {
    constexpr auto most = std::numeric_limits<std::uint32_t>::max();
    return {tries.left - 1, tries.done == most ? most : tries.done + 1};
}

}  // namespace stillboot
