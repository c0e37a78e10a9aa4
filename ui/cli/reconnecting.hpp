// SPDX-License-Identifier: Apache-2.0
// When a verb that goes on over several connections makes the next one, and what it says of that.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "ui/cli/context.hpp"

namespace stillboot::cli {

/// One verb's connections, one after the other. Lifetime: the context outlives it.
class Reconnecting {
public:
    explicit Reconnecting(const Context& context);

    /// True where no further attempt helps: the service refuses what is asked, or it never let this client in and
    /// says so for a reason that does not change by itself (ssh, TLS, a socket that is not for everybody).
    [[nodiscard]] bool ends_with(const Error& why) const;
    /// Before another attempt: says why it is made, once for each reason, and how long to wait first.
    [[nodiscard]] std::chrono::milliseconds pause_after(const Error& why);
    /// A reply has come: whatever ends the connection after that may pass.
    void on_heard();
    [[nodiscard]] bool heard() const { return heard_; }

private:
    const Context& context_;
    bool heard_ = false;
    std::chrono::milliseconds pause_;
    std::vector<std::string> said_;
};

}  // namespace stillboot::cli
