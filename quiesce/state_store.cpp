// SPDX-License-Identifier: Apache-2.0
// The record in /run.
#include "quiesce/state_store.hpp"

#include <cerrno>

namespace stillboot::quiesce {
namespace {

constexpr std::size_t max_record_bytes = 1024 * 1024;

}  // namespace

Result<void> RunStateStore::write(std::string_view record) {
    const std::string parent = path_.substr(0, path_.rfind('/'));
    if (auto made = root_.make_directories(parent); !made) {
        return made;
    }
    return root_.replace_file(path_, record, 0600);  // it holds command lines
}

Result<std::optional<std::string>> RunStateStore::read() {
    auto text = root_.read_file(path_, max_record_bytes);
    if (text) {
        return std::optional<std::string>(*std::move(text));
    }
    if (text.error().error_number() == ENOENT) {
        return std::optional<std::string>();
    }
    return text.error();
}

Result<void> RunStateStore::clear() {
    auto removed = root_.remove_file(path_);
    if (!removed && removed.error().error_number() != ENOENT) {
        return removed;
    }
    return {};
}

}  // namespace stillboot::quiesce
