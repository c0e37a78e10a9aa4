// SPDX-License-Identifier: Apache-2.0
// What the core tells as events.
#include "daemon/main/core.hpp"

namespace stillboot {

void Core::tell_boot(events::Kind kind, const std::optional<Message>& reason) {
    events::Event event;
    event.kind = kind;
    event.option = booting_.option;
    event.title = booting_.title;
    event.device = booting_.device;
    event.by = booting_by_;
    event.attempt = booting_.attempt;
    event.reason = reason;
    hooks_.tell(event);
}

// Once for each that begins, whatever else changes while it runs.
void Core::tell_countdown() {
    const bool runs = policy_.phase() == policy::Phase::countdown;
    const std::string option = runs ? policy_.target()->option : "";
    if (option != std::exchange(told_countdown_, option) && runs) {
        tell_default(events::Kind::countdown);
    }
}

void Core::tell_default(events::Kind kind) {
    const handover::HookSubject subject = default_subject();
    events::Event event;
    event.kind = kind;
    event.option = subject.option;
    event.title = subject.title;
    event.device = subject.device;
    event.by = policy_.by() ? policy_.by()->sentence() : "";
    hooks_.tell(event);
}

void Core::tell_of(events::Kind kind, std::string_view what, const server::Peer& peer,
                   const std::optional<handover::Choice>& choice) {
    events::Event event;
    event.kind = kind;
    event.what = what;
    event.by = peer.who().sentence();
    if (choice) {
        event.option = choice->option_id;
        event.title = choice->title;
    }
    hooks_.tell(event);
}

}  // namespace stillboot
