// SPDX-License-Identifier: Apache-2.0
// Where a stream of changes, or of the log, was read to.
#pragma once

#include <optional>

#include "daemon/protocol/methods.hpp"

namespace stillboot::client {

/// Kept across connections, so that the next one goes on where the last one ended.
class Place {
public:
    /// For each new connection: what Watch or GetLog is given.
    [[nodiscard]] protocol::From begin() {
        first_ = true;
        return from_;
    }
    /// Takes each reply. True where it begins anew: what was told before is to be forgotten, and some may have
    /// been missed where there was something before.
    bool take(const protocol::Watch::Reply& reply) {
        take_first(reply.session);
        from_.since = reply.change.seq;
        return reply.change.whole;
    }
    bool take(const protocol::GetLog::Reply& reply) {
        const bool anew = first_ && reply.whole.value_or(true);
        take_first(reply.session);
        if (anew) {
            from_.since.reset();
        }
        if (!reply.lines.empty()) {
            from_.since = reply.lines.back().seq;
        }
        return anew;
    }

private:
    void take_first(const std::optional<std::string>& session) {
        if (first_) {
            from_.session = session;
            first_ = false;
        }
    }

    protocol::From from_;
    bool first_ = true;
};

}  // namespace stillboot::client
