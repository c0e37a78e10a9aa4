// SPDX-License-Identifier: Apache-2.0
// A bench on which a driver hangs, for what the state store makes of it.
#pragma once

#include <memory>

#include "kexec/handover/state.hpp"
#include "tests/kexec/handover/recording_ports.hpp"

namespace stillboot::handover::test {

/// A machine with a state store whose second unbind hangs.
struct Hanging : Bench {
    Hanging() {
        durable = std::make_unique<MemoryStore>(script);
        quiescer.hangs = "eth0";
    }
    [[nodiscard]] State remembered() const { return state_from_text(*durable->contents).value(); }
};

}  // namespace stillboot::handover::test
