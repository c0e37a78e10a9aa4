// SPDX-License-Identifier: Apache-2.0
// The ring of changes.
#include "daemon/main/history.hpp"

namespace stillboot {

void History::add(SentChange change) {
    last_ = change.seq;
    bytes_ += change.frame->size();
    kept_.push_back(std::move(change));
    while (!kept_.empty() && (kept_.size() > bounds_.changes || bytes_ > bounds_.bytes)) {
        bytes_ -= kept_.front().frame->size();
        kept_.pop_front();
    }
}

std::optional<std::vector<SentChange>> History::after(std::uint64_t since) const {
    if (since > last_ || last_ - since > kept_.size()) {
        return std::nullopt;
    }
    const auto missed = static_cast<std::ptrdiff_t>(last_ - since);
    return std::vector<SentChange>(kept_.end() - missed, kept_.end());
}

}  // namespace stillboot
