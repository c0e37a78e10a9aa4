// SPDX-License-Identifier: Apache-2.0
// The hand-over as it goes on: a page while it can still be stopped for nothing, plain lines from the commit on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/protocol/types.hpp"
#include "ui/menu/screen.hpp"

namespace stillboot::menu {

/// True for the steps that touch no device: the menu stays on the screen for them.
[[nodiscard]] bool before_commit(const std::string& step);

/// "   1.2 s  unbind 3/19: sentence". Bytes are not counted in it: it is printed once a message.
[[nodiscard]] std::string plain_line(const protocol::Progress& progress, Charset charset);

/// "   9.2 s  unbind 3/19: 57 s left at most; 0000:00:04.0 (megaraid_sas) 3.8 s, takes long", cut to the screen:
/// the one that has taken longest. Wants progress.active.
[[nodiscard]] std::string live_line(const protocol::Progress& progress, const Look& look);

class ProgressView {
public:
    void start() { steps_.clear(); }
    /// Takes progress; true where it says something that plain_line has not said before.
    bool take(const protocol::Progress& progress);
    /// Up to `rows` lines: the steps so far, the last of them with a gauge.
    [[nodiscard]] std::vector<Line> draw(const Look& look, int rows) const;

private:
    std::vector<protocol::Progress> steps_;  ///< the last of each step
};

}  // namespace stillboot::menu
