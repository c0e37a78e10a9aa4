// SPDX-License-Identifier: Apache-2.0
// Which failures pass, and pauses that grow.
#include "ui/cli/reconnecting.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "daemon/protocol/failure.hpp"

namespace stillboot::cli {
namespace {

using Milliseconds = std::chrono::milliseconds;

struct Pauses {
    Milliseconds first;
    Milliseconds longest;
};

// A socket of this machine costs nothing, and a daemon that is started again is back at once; every attempt at
// another machine is a process or a handshake there, and a line in its log.
constexpr Pauses here{Milliseconds(100), Milliseconds(1'000)};
constexpr Pauses elsewhere{Milliseconds(1'000), Milliseconds(10'000)};

const Pauses& pauses_of(const Context& context) {
    return context.daemon.kind == client::Address::Kind::unix_socket ? here : elsewhere;
}

bool is_lasting(const Error& why) {
    return why.code() == "daemon.ssh_failed" || why.code() == "daemon.tls_failed" ||
           why.error_number() == EACCES || why.error_number() == EPERM;
}

}  // namespace

Reconnecting::Reconnecting(const Context& context) : context_(context), pause_(pauses_of(context).first) {}

bool Reconnecting::ends_with(const Error& why) const {
    using protocol::Failure;
    const Failure failure = protocol::classify(why);
    const bool passes =
        failure == Failure::unreachable || failure == Failure::too_slow || failure == Failure::timed_out;
    return !passes || (!heard_ && is_lasting(why));
}

Milliseconds Reconnecting::pause_after(const Error& why) {
    std::string reason = why.sentence();
    if (std::find(said_.begin(), said_.end(), reason) == said_.end()) {
        context_.complain("stillboot: " + Message("cli.trying_again", {{"reason", reason}}).sentence());
        said_.push_back(std::move(reason));
    }
    return std::exchange(pause_, std::min(2 * pause_, pauses_of(context_).longest));
}

void Reconnecting::on_heard() {
    heard_ = true;
    pause_ = pauses_of(context_).first;
    said_.clear();
}

}  // namespace stillboot::cli
