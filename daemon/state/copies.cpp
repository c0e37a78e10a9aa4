// SPDX-License-Identifier: Apache-2.0
// Reading both copies, and overwriting the older one.
#include "daemon/state/copies.hpp"

#include <cerrno>

#include "daemon/state/two_copies.hpp"

namespace stillboot::state {
namespace {

constexpr int count = 2;
constexpr std::string_view unreadable = "unreadable";  // no whole copy begins so

}  // namespace

struct Copies::Found {
    std::array<std::string, count> bytes;
    std::array<std::optional<Copy>, count> copies;
    bool newer = false;

    [[nodiscard]] bool is_damaged(std::size_t which) const {
        return state::is_damaged(bytes[which], copies[1 - which]);
    }
};

Error write_error(int error_number, const std::string& copy) {
    if (error_number == ENOSPC || error_number == EDQUOT) {
        return Error(Message("state.full", {{"copy", copy}}), error_number);
    }
    return Error::from_errno(error_number, "state.write_failed", {{"copy", copy}});
}

// One bad block must not cost both: where the other copy is whole, it is damaged, and written over next.
Result<Copies::Found> Copies::find() const {
    Found found;
    std::optional<Error> failure;
    for (int i = 0; i < count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        auto bytes = places_->read(i);
        if (!bytes) {
            failure = bytes.error();
            bytes = std::string(unreadable);
        }
        found.copies[at] = decode_copy(*bytes);
        found.newer = found.newer || is_newer_format(*bytes);
        found.bytes[at] = std::move(*bytes);
    }
    if (failure && !found.copies[0] && !found.copies[1]) {
        return *failure;
    }
    return found;
}

Result<void> Copies::write(std::string_view text) const {
    const auto found = find();
    if (!found) {
        return found.error();
    }
    if (found->newer) {
        return Error("state.newer_format");
    }
    const auto& [first, second] = found->copies;
    const auto current = newest(first, second);
    if (current && current->text == text && !found->is_damaged(0) && !found->is_damaged(1)) {
        return {};
    }
    std::string bytes = encode_copy({current ? current->sequence + 1 : 1, std::string(text)});
    if (bytes.size() > places_->max_bytes()) {
        return Error("state.too_large",
                     {{"bytes", std::uint64_t{bytes.size()}}, {"limit", std::uint64_t{places_->max_bytes()}}});
    }
    return places_->write(oldest(first, second), std::move(bytes));
}

Result<std::optional<std::string>> Copies::read() const {
    const auto found = find();
    if (!found) {
        return found.error();
    }
    if (found->newer) {
        return Error("state.newer_format");
    }
    const auto current = newest(found->copies[0], found->copies[1]);
    return current && !current->text.empty() ? std::optional(current->text) : std::optional<std::string>();
}

Result<std::vector<Message>> Copies::damage() const {
    const auto found = find();
    if (!found) {
        return found.error();
    }
    std::vector<Message> damaged;
    for (int i = 0; i < count; ++i) {
        if (found->is_damaged(static_cast<std::size_t>(i))) {
            damaged.emplace_back("state.copy_damaged",
                                 std::initializer_list<Message::Param>{{"copy", places_->name(i)}});
        }
    }
    if (damaged.size() == count) {
        damaged = {Message("state.copies_damaged")};
    }
    return damaged;
}

}  // namespace stillboot::state
