// SPDX-License-Identifier: Apache-2.0
// The quiescer of production: the room `quiesce` with its own ports.
#pragma once

#include "kexec/handover/ports.hpp"
#include "quiesce/policy.hpp"
#include "quiesce/ports.hpp"

namespace stillboot::handover {

/// Lifetime: the ports' referents outlive it.
class RoomQuiescer final : public Quiescer {
public:
    RoomQuiescer(quiesce::Ports ports, quiesce::Policy policy) : ports_(ports), policy_(std::move(policy)) {}

    Result<quiesce::Plan> plan() override;
    quiesce::Execution execute(const quiesce::Plan& plan, quiesce::RunnerOptions options) override;
    Result<quiesce::Verification> verify(const quiesce::Plan& plan) override;
    quiesce::UndoReport undo(const quiesce::UndoRecord& record) override;

private:
    quiesce::Ports ports_;
    quiesce::Policy policy_;
    quiesce::Inventory machine_;  ///< as the last plan saw it
};

}  // namespace stillboot::handover
