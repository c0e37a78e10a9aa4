// SPDX-License-Identifier: Apache-2.0
// One hand-over at a time, over all programs.
#pragma once

#include "config/base/root.hpp"

namespace stillboot::handover {

/// Holds /run/stillboot/handover.lock; the kernel gives it back when its holder ends in whatever way.
class Lock {
public:
    /// @error handover.busy, base.open_failed
    static Result<Lock> take(const Root& root);

private:
    explicit Lock(UniqueFd file) : file_(std::move(file)) {}

    UniqueFd file_;
};

}  // namespace stillboot::handover
