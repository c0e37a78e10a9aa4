// SPDX-License-Identifier: Apache-2.0
// A helper's side of the socket to its parent.
#pragma once

#include "daemon/probe/mounted_source.hpp"
#include "daemon/probe/wire.hpp"

namespace stillboot::probe {

/// Blocking: each call, until the parent has read or answered; the parent ends a helper that waits in vain.
class Channel final : public Asker {
public:
    explicit Channel(int socket) : socket_(socket) {}

    /// The parent's order. @error probe.socket_failed, probe.helper_broke_protocol
    Result<Order> receive_order();
    /// Asks and waits. A parent that does not answer properly is a missing device.
    Answer ask(const Question& question) override;
    /// Says how far a fetch is; dropped where the parent has not yet read earlier ones. Never waits.
    void progress(std::uint64_t done, std::uint64_t total) const;
    /// The last words. @error probe.socket_failed
    [[nodiscard]] Result<void> finish(const Report& report, int fd = -1) const;
    [[nodiscard]] Result<void> finish(const Answer& answer) const;

private:
    int socket_;
};

}  // namespace stillboot::probe
