// SPDX-License-Identifier: Apache-2.0
// The last changes that clients were told, for those that come back.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stillboot {

/// How much is kept. At twenty devices a second the number lasts for some ten seconds, and a quiet machine's for
/// days; the bytes keep a burst of large devices from doubling what an idle daemon holds.
struct HistoryBounds {
    std::size_t changes = 512;
    std::size_t bytes = std::size_t{512} * 1024;
};

/// A change as it went out.
struct SentChange {
    std::uint64_t seq = 0;
    std::shared_ptr<const std::string> frame;
    bool only_state = false;  ///< it holds the state and nothing else
};

/// A ring of changes whose numbers follow one another. The newest alone may be longer than the bound: then nothing
/// is kept.
class History {
public:
    explicit History(HistoryBounds bounds = {}) : bounds_(bounds) {}

    /// Takes the next change: its seq is last() + 1.
    void add(SentChange change);
    [[nodiscard]] std::uint64_t last() const { return last_; }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    /// The changes after this one, the oldest first; none where some of them are gone or the number was never
    /// given out.
    [[nodiscard]] std::optional<std::vector<SentChange>> after(std::uint64_t since) const;

private:
    HistoryBounds bounds_;
    std::deque<SentChange> kept_;
    std::size_t bytes_ = 0;
    std::uint64_t last_ = 0;
};

}  // namespace stillboot
