// SPDX-License-Identifier: Apache-2.0
// Offsets become lines and columns only where somebody asks.
#include "config/parse/grub/script.hpp"

#include <algorithm>

namespace stillboot::grub {
namespace {

constexpr std::size_t stride = 4096;

// memchr is faster than std::count for lines of the usual length.
std::uint32_t newlines(std::string_view text) {
    std::uint32_t count = 0;
    for (std::size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1)) {
        ++count;
    }
    return count;
}

}  // namespace

void Script::count_lines() const {
    if (!lines_before_.empty()) {
        return;
    }
    const std::string_view text = text_;
    lines_before_.push_back(0);
    for (std::size_t at = 0; at + stride < text.size(); at += stride) {
        lines_before_.push_back(lines_before_.back() + newlines(text.substr(at, stride)));
    }
}

Position Script::position(std::uint32_t offset) const {
    if (fixed_.line != 0) {
        return fixed_;
    }
    const std::string_view text = text_;
    const std::size_t at = std::min<std::size_t>(offset, text.size());
    // Questions come mostly in the order of the text, and close to each other.
    if (at < last_.offset || at - last_.offset > stride) {
        count_lines();
        const std::size_t start = std::min(at / stride, lines_before_.size() - 1);
        last_ = {start * stride, lines_before_[start]};
    }
    last_.line += newlines(text.substr(last_.offset, at - last_.offset));
    last_.offset = at;
    const std::uint32_t line = last_.line;
    const std::size_t newline = at == 0 ? text.npos : text.rfind('\n', at - 1);
    const std::size_t line_start = newline == text.npos ? 0 : newline + 1;
    return {line + 1, static_cast<std::uint32_t>(at - line_start + 1)};
}

}  // namespace stillboot::grub
