// SPDX-License-Identifier: Apache-2.0
// The life of one device as far as scanning goes: a state machine without I/O.
#pragma once

namespace stillboot::discover {

/// What the caller must do after an event, in this order.
struct DeviceActions {
    bool cancel = false;   ///< end the scan that runs
    bool publish = false;  ///< what the scan that has ended found is now what the device holds
    bool enqueue = false;  ///< ask for a scan slot
    bool forget = false;   ///< nothing refers to the device any more

    bool operator==(const DeviceActions&) const = default;
};

/// idle -> queued -> scanning -> idle, and gone from any of them. At most one scan runs for a device; what asks
/// for another meanwhile is remembered once, however often it asks.
class DeviceMachine {
public:
    enum class State { idle, queued, scanning, gone };

    /// A scan is wanted, and what one that runs now finds is still true: it came, a client asked, or a device that
    /// it asked about has come or gone.
    DeviceActions on_scan_wanted();
    /// Its content is another one (media change): a scan that runs reads what is no longer there.
    DeviceActions on_content_changed();
    /// Its turn has come.
    void on_started();
    /// The scan has ended, with a result or without.
    DeviceActions on_ended();
    DeviceActions on_removed();

    [[nodiscard]] State state() const { return state_; }

private:
    State state_ = State::idle;
    bool again_ = false;
    bool stale_ = false;
};

}  // namespace stillboot::discover
