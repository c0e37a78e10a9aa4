// SPDX-License-Identifier: Apache-2.0
// From the port of the hand-over to the functions of quiesce.
#include "kexec/handover/quiescer.hpp"

namespace stillboot::handover {

Result<quiesce::Plan> RoomQuiescer::plan() {
    auto inventory = quiesce::read_inventory(ports_.root, ports_.creation_order);
    if (!inventory) {
        return inventory.error();
    }
    machine_ = std::move(*inventory);
    return quiesce::make_plan(machine_, policy_);
}

quiesce::Execution RoomQuiescer::execute(const quiesce::Plan& plan, quiesce::RunnerOptions options) {
    return quiesce::execute(plan, machine_, ports_, {policy_, std::move(options)});
}

Result<quiesce::Verification> RoomQuiescer::verify(const quiesce::Plan& plan) {
    return quiesce::verify(ports_, plan);
}

quiesce::UndoReport RoomQuiescer::undo(const quiesce::UndoRecord& record) {
    return quiesce::undo(record, ports_);
}

}  // namespace stillboot::handover
