// SPDX-License-Identifier: Apache-2.0
// The daemon's side of stillboot-tls.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "daemon/gate/wire.hpp"
#include "daemon/loop/log.hpp"
#include "daemon/loop/spawn.hpp"
#include "daemon/probe/helper.hpp"
#include "daemon/server/server.hpp"

namespace stillboot::gate {

/// Keeps the helper running, and hands to the server who was let in. A helper that ends is started again, each
/// time after a longer pause; one that ends with status 0 has said why it cannot work, and is not. Thread: the
/// loop's alone. Lifetime: the server, the handler and the log outlive the loop's last run.
class Gate {
public:
    Gate(Spawner spawner, server::Server& server, server::Handler& handler, Log& log);
    ~Gate();

    /// Nothing is started where there is no address.
    void open(Order order);
    /// Ends the helper, and with it every client over TLS.
    void stop();

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace stillboot::gate
