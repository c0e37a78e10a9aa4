// SPDX-License-Identifier: Apache-2.0
// Lines put together, and screens as text.
#include "ui/menu/screen.hpp"

#include <algorithm>

namespace stillboot::menu {

std::string Screen::text() const {
    std::string out;
    for (const auto& line : lines) {
        std::string row;
        for (const auto& span : line) {
            row += span.text;
        }
        row.erase(row.find_last_not_of(' ') + 1);
        out += row + "\n";
    }
    return out;
}

LineBuilder& LineBuilder::add(std::string_view text, Role role) {
    return add_clipped(text, left_over(), role);
}

LineBuilder& LineBuilder::add_clipped(std::string_view text, int columns, Role role) {
    const int room = std::min(columns, left_over());
    if (room > 0 && !text.empty()) {
        std::string shown = clip(text, room, charset_);
        used_ += width(shown, charset_);
        line_.push_back({std::move(shown), role});
    }
    return *this;
}

LineBuilder& LineBuilder::pad_to(int column) {
    const int missing = std::min(column, columns_) - used_;
    if (missing > 0) {
        line_.push_back({std::string(static_cast<std::size_t>(missing), ' '), base_});
        used_ += missing;
    }
    return *this;
}

LineBuilder& LineBuilder::right(std::string_view text, Role role) {
    const int needed = width(text, charset_);
    if (needed > 0 && needed < left_over()) {
        pad_to(columns_ - needed);
        add(text, role);
    }
    return *this;
}

Line LineBuilder::take() {
    pad_to(columns_);
    return std::move(line_);
}

std::string gauge(std::uint64_t done, std::uint64_t total, int columns, Charset charset) {
    const auto cells = static_cast<std::uint64_t>(std::max(columns, 0));
    const auto share =
        static_cast<double>(std::min(done, total)) / static_cast<double>(std::max<std::uint64_t>(total, 1));
    const auto filled = static_cast<std::uint64_t>(share * static_cast<double>(cells) + 0.5);
    std::string out;
    for (std::uint64_t i = 0; i < cells; ++i) {
        const bool full = i < filled;
        out += charset == Charset::utf8 ? (full ? "\u2588" : "\u2591") : (full ? "#" : ".");
    }
    return out;
}

}  // namespace stillboot::menu
