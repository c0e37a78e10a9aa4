// SPDX-License-Identifier: Apache-2.0
// The steps of a device's life.
#include "daemon/discover/device_machine.hpp"

namespace stillboot::discover {

DeviceActions DeviceMachine::on_scan_wanted() {
    DeviceActions actions;
    if (state_ == State::idle) {
        state_ = State::queued;
        actions.enqueue = true;
    } else if (state_ == State::scanning) {
        again_ = true;
    }
    return actions;
}

DeviceActions DeviceMachine::on_content_changed() {
    DeviceActions actions = on_scan_wanted();
    if (state_ == State::scanning) {
        actions.cancel = !stale_;
        stale_ = true;
    }
    return actions;
}

void DeviceMachine::on_started() {
    if (state_ == State::queued) {
        state_ = State::scanning;
        again_ = false;
        stale_ = false;
    }
}

DeviceActions DeviceMachine::on_ended() {
    DeviceActions actions;
    if (state_ == State::gone) {
        actions.forget = true;
        return actions;
    }
    if (state_ != State::scanning) {
        return actions;
    }
    actions.publish = !stale_;
    actions.enqueue = again_;
    state_ = again_ ? State::queued : State::idle;
    return actions;
}

DeviceActions DeviceMachine::on_removed() {
    DeviceActions actions;
    if (state_ == State::gone) {
        return actions;
    }
    actions.cancel = state_ == State::scanning && !stale_;
    actions.forget = state_ != State::scanning;
    state_ = State::gone;
    return actions;
}

}  // namespace stillboot::discover
